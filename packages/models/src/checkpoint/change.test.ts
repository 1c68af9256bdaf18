import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type EncoderDecoderModel,
  isEncoder,
  isEncoderDecoder,
  isLanguageModel,
} from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { changedPreset, type PresetChange } from '../change.js';
import type { Model } from '../model.js';
import { loadModel, saveModel } from '../node.js';

const goldens = new URL('../../../parity/goldens/', import.meta.url).pathname;

test('a part that is changed takes its parameters along, and both sides are told', async () => {
  const model = await loadModel(`${goldens}gpt2`, { change: { position: { kind: 'alibi' } } });
  expect(model.newPaths).toEqual([]);
  expect(model.unusedKeys).toEqual(['transformer.wpe.weight']);
  const learned = await loadModel(`${goldens}bloom`, { change: { position: { kind: 'learned' } } });
  expect(learned.newPaths).toEqual(['positions.weight']);
  expect(learned.unusedKeys).toEqual([]);
  for (const { network, params } of [model, learned]) {
    if (!isLanguageModel(network)) throw new Error('no language model');
    const logits = network.forward(tf.tensor2d([[1, 2, 3]], [1, 3], 'int32'));
    expect((await logits.data()).every(Number.isFinite)).toBe(true);
    params.dispose();
  }
});

/** Two sources that are not ids, of an encoder that reads none. */
function valuesFor({ pictures, frames, stateWidth }: Partial<EncoderDecoderModel>) {
  const shapes = [
    pictures && [pictures.height, pictures.width, pictures.channels],
    frames && [frames.count, frames.channels],
    stateWidth && [5, stateWidth],
  ];
  const shape = shapes.find((one) => one);
  if (!shape) return undefined;
  const size = shape.reduce((product, side) => product * side, 2);
  return tf.linspace(-1, 1, size).reshape([2, ...shape]);
}

/** The outputs of a model of any kind for a few ids, or for what its encoder reads in place of them. */
function outputOf({ network }: Model): tf.Tensor {
  const ids = tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6], [2, 4], 'int32');
  const values = valuesFor(network as Partial<EncoderDecoderModel>);
  if (isEncoderDecoder(network)) return network.decode(ids, network.encode(values ?? ids));
  if (isEncoder(network) && values) return network.encode(values);
  return isEncoder(network) ? Object.values(network.forward(ids))[0]! : network.forward(ids);
}

const encoderBlocks = (name: string, layers: number) =>
  Array.from({ length: layers }, (_, i) => [`${name}.blocks.${i}.attn`, i] as const);

test.each<[name: string, change: PresetChange, newPaths: string[], unused: string[]]>([
  [
    'bert-masked-lm',
    { position: { kind: 'alibi' } },
    [],
    ['bert.embeddings.position_embeddings.weight'],
  ],
  [
    'roberta-sequence-classification',
    { position: { kind: 'rotary' } },
    [],
    ['roberta.embeddings.position_embeddings.weight'],
  ],
  [
    't5',
    { position: { kind: 'rotary' } },
    [],
    ['encoder', 'decoder'].map(
      (side) => `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`,
    ),
  ],
  ['marian', { position: { kind: 'alibi' } }, [], []],
])(
  '%s with %j from a checkpoint learns, and is saved whole',
  async (name, change, newPaths, unused) => {
    const model = await loadModel(`${goldens}${name}`, { change });
    expect(model.newPaths).toEqual(newPaths);
    expect(model.unusedKeys.sort()).toEqual(unused.sort());
    await expectLearnsAndSaves(model, name);
  },
);

test('BART with grouped heads from a checkpoint learns, and is saved whole', async () => {
  const { heads } = changedPreset(
    JSON.parse(readFileSync(`${goldens}bart/config.json`, 'utf8')),
    {},
  );
  const model = await loadModel(`${goldens}bart`, { change: { heads: { ...heads, kv: 1 } } });
  const layers = [...encoderBlocks('encoder', 3), ...encoderBlocks('decoder', 2)].map(
    ([path]) => path,
  );
  const cross = encoderBlocks('decoder', 2).map(([path]) => path.replace('attn', 'cross'));
  const changed = [...layers, ...cross].flatMap((path) =>
    ['kProj', 'vProj'].flatMap((map) => [`${path}.${map}.weight`, `${path}.${map}.bias`]),
  );
  expect(model.newPaths.sort()).toEqual(changed.sort());
  expect(model.unusedKeys).toHaveLength(changed.length);
  await expectLearnsAndSaves(model, 'bart');
});

/** Whether a changed model differs from its family's, learns, and is the same when it is saved and loaded. */
async function expectLearnsAndSaves(model: Model, name: string): Promise<void> {
  const theirs = await loadModel(`${goldens}${name}`);
  const expected = await outputOf(model).data();
  expect(expected.every(Number.isFinite)).toBe(true);
  expect(expected).not.toEqual(await outputOf(theirs).data());
  const named = Object.entries(model.params.named());
  const { grads } = tf.variableGrads(
    () => outputOf(model).square().sum() as tf.Scalar,
    named.map(([, variable]) => variable),
  );
  for (const [path, variable] of named) {
    // A bias of all keys shifts every score of a query alike.
    if (path.endsWith('kProj.bias')) continue;
    expect((await grads[variable.name]!.abs().sum().data())[0], path).toBeGreaterThan(0);
  }
  const folder = mkdtempSync(join(tmpdir(), 'headwise-change-'));
  await saveModel(folder, model);
  const again = await loadModel(folder);
  expect(await outputOf(again).data()).toEqual(expected);
  for (const { params } of [model, theirs, again]) params.dispose();
}

test.each(readdirSync(goldens))('%s is its own typed configuration', async (name) => {
  const [plain, typed] = [
    await loadModel(`${goldens}${name}`),
    await loadModel(`${goldens}${name}`, { change: {} }),
  ];
  expect(typed.family.modelType).toBe('headwise');
  expect(typed.newPaths).toEqual(plain.newPaths);
  expect(typed.unusedKeys).toEqual(plain.unusedKeys);
  expect(await outputOf(typed).data()).toEqual(await outputOf(plain).data());
  for (const { params } of [plain, typed]) params.dispose();
});

test('trained heads are not cut into another number of them', async () => {
  const change = { position: { kind: 'alibi' }, heads: { count: 4 } } as const;
  await expect(loadModel(`${goldens}llama`, { change })).rejects.toThrow(
    "'heads.count' is 4; the checkpoint of",
  );
});

test.each([
  ['dim', { dim: 24 }, "change: 'dim' is 24; the checkpoint of"],
  ['topology', { topology: 'encoder' }, 'change: \'topology\' is "encoder"; it is "decoder"'],
  ['model_type', { model_type: 'gpt2' }, 'change: \'model_type\' is "gpt2"; it is "headwise"'],
  ['an array', [{ kind: 'alibi' }], 'change is an array; expected an object of parts'],
])('what is not a part to exchange is refused: %s', async (_, change, message) => {
  await expect(loadModel(`${goldens}llama`, { change: change as never })).rejects.toThrow(message);
});
