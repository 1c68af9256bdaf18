import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyValueCache } from '@headwise/decoding';
import { expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { createModel, encoderDecoderModel } from '../model.js';
import { loadModel, saveModel } from '../node.js';
import { modelSize } from '../size.js';
import type { EncoderConfiguration, ModelConfiguration } from './model-configuration.js';

const shared = {
  model_type: 'headwise',
  maxLength: 8,
  norm: { kind: 'layer' },
  block: 'pre-norm',
} as const;

/** Wider and deeper than the decoder, with another vocabulary, other positions and layers that share their parameters. */
const words: EncoderConfiguration = {
  ...shared,
  topology: 'encoder',
  vocabSize: 7,
  dim: 12,
  layers: 3,
  sharedBlocks: [0, 1, 0],
  position: { kind: 'rotary' },
  heads: { count: 2 },
  feedForward: { kind: 'gated', hidden: 10 },
  head: { kind: 'none' },
};
const pictures: EncoderConfiguration = {
  ...words,
  vocabSize: 0,
  maxLength: null,
  position: { kind: 'none' },
  embedding: { patches: { height: 4, width: 6, size: [2, 2], channels: 1 } },
};
const decoder: ModelConfiguration = {
  ...shared,
  topology: 'encoder-decoder',
  vocabSize: 11,
  dim: 10,
  layers: 2,
  position: { kind: 'learned' },
  heads: { count: 5, projection: 'fused', bias: { qkv: true, out: true } },
  feedForward: { kind: 'plain', hidden: 9 },
  head: { kind: 'language-model', tied: true },
};
const made = (encoder: ModelConfiguration['encoder']) =>
  encoderDecoderModel(createModel({ ...decoder, encoder }, { seed: 1 }));
const target = () => tf.tensor2d([3, 1, 4, 1, 10, 9, 2, 6], [2, 4], 'int32');
const sources: [string, ModelConfiguration['encoder'], () => tf.Tensor][] = [
  ['ids', words, () => tf.tensor2d([1, 2, 6, 0, 5, 4], [2, 3], 'int32')],
  ['pictures', pictures, () => gaussian([2, 4, 6, 1], 5)],
  ['states', 'states', () => gaussian([2, 5, 10], 6)],
];

test.each(sources)(
  'an encoder-decoder reads %s, learns whole, and decodes with a cache as without one',
  async (_, encoder, source) => {
    const before = tf.memory().numTensors;
    const model = made(encoder);
    const { network, params } = model;
    const named = params.named();
    const values = Object.values(named);
    const { parameters, tensors } = modelSize({ ...decoder, encoder });
    expect([values.reduce((sum, { size }) => sum + size, 0), values.length]).toEqual([
      parameters,
      tensors,
    ]);
    const [read, ids, cotangent] = [source(), target(), gaussian([2, 4, 11], 7)];
    const run = () => network.decode(ids, network.encode(read));
    const learnt = tf.variableGrads(() => run().mul(cotangent).sum(), values);
    for (const [path, variable] of Object.entries(named)) {
      const most = tf.tidy(() => learnt.grads[variable.name]!.abs().max());
      expect((await most.data())[0], path).toBeGreaterThan(0);
      most.dispose();
    }
    const whole = tf.tidy(run);
    const cache = new KeyValueCache();
    const parts = tf.tidy(() => {
      const encoded = network.encode(read);
      const at = (t: number) => network.decode(ids.slice([0, t], [2, 1]), encoded, { cache });
      return tf.concat([0, 1, 2, 3].map(at), 1);
    });
    cache.dispose();
    await expectClose(parts, whole, { ratio: 1e-5 });
    const folder = join(mkdtempSync(join(tmpdir(), 'headwise-own-encoder-')), 'model');
    await saveModel(folder, model);
    const loaded = encoderDecoderModel(await loadModel(folder));
    const again = tf.tidy(() => loaded.network.decode(ids, loaded.network.encode(read)));
    await expectClose(again, whole);
    loaded.params.dispose();
    params.dispose();
    tf.dispose([read, ids, cotangent, learnt, whole, parts, again]);
    expect(tf.memory().numTensors).toBe(before);
  },
);

test('a network says what it reads in place of ids', () => {
  const facts = sources.map(([, encoder]) => {
    const { network, params } = made(encoder);
    params.dispose();
    const { sourceVocabSize, pictures, stateWidth } = network;
    return { sourceVocabSize, pictures, stateWidth };
  });
  expect(facts).toEqual([
    { sourceVocabSize: 7, pictures: undefined, stateWidth: undefined },
    {
      sourceVocabSize: 0,
      pictures: { height: 4, width: 6, channels: 1 },
      stateWidth: undefined,
    },
    { sourceVocabSize: 0, pictures: undefined, stateWidth: 10 },
  ]);
});

test('states are those of the caller, who frees them apart from what is encoded', () => {
  const { network, params } = made('states');
  const read = gaussian([1, 3, 10], 8);
  const { states } = network.encode(read);
  states.dispose();
  expect(read.isDisposed).toBe(false);
  expect(() => network.encode(gaussian([1, 3, 9], 8))).toThrow(
    'encode: states has shape [1, 3, 9]; expected [B, Tk, 10]',
  );
  const attentionMask = tf.ones([1, 4], 'int32');
  expect(() => network.encode(read, { attentionMask })).toThrow(
    'encode: attentionMask has shape [1, 4]; expected [1, 3]',
  );
  params.dispose();
});

test('pictures take no mask', () => {
  const { network, params } = made(pictures);
  const attentionMask = tf.ones([1, 7], 'int32');
  expect(() => network.encode(gaussian([1, 4, 6, 1], 9), { attentionMask })).toThrow(
    'encode: attentionMask is given for pictures; expected none',
  );
  params.dispose();
});

test.each<[string, Partial<ModelConfiguration>, RegExp]>([
  [
    'a decoder',
    { encoder: { ...words, topology: 'decoder' } as never },
    /'encoder.topology' is "d/,
  ],
  [
    'a head',
    { encoder: { ...words, head: { kind: 'none', pooler: true } } },
    /'encoder.head' is \{"kind":"none","pooler":true\}; expected \{ kind: 'none' \}/,
  ],
  ['sizes of a decoder', { encoder: words, decoder: { layers: 1 } }, /'decoder' is .* beside 'enc/],
  [
    'a table of one side',
    { encoder: words, embedding: { separate: ['encoder'] } },
    /'embedding.separate' is \["encoder"\] beside 'encoder'/,
  ],
  ['heads that do not divide', { encoder: { ...words, heads: { count: 5 } } }, /encoder: 'dim' 12/],
  [
    'a decoder alone',
    { encoder: words, topology: 'decoder' },
    /'encoder' is .* goes with 'topology/,
  ],
  ['another word', { encoder: 'frames' as never }, /'encoder' is "frames"/],
])('what does not go with an encoder of its own is refused by name: %s', (_, change, message) => {
  expect(() => createModel({ ...decoder, ...change })).toThrow(message);
});
