import type { LanguageModel } from '@headwise/core';
import { createModel } from '@headwise/models';
import { describeBackends, expectClose, expectNoLeak, fullOnly } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { causalLanguageModel, lossAndGradients } from '../index.js';

const sizes = { model_type: 'headwise', vocabSize: 23, dim: 12, layers: 2 } as const;

/** A small decoder with the given position. */
function decoder(position: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return createModel(
    {
      ...sizes,
      topology: 'decoder',
      maxLength: 8,
      position,
      heads: { count: 3, dim: 4 },
      norm: { kind: 'layer' },
      feedForward: { kind: 'plain', hidden: 16 },
      block: 'pre-norm',
      init: { std: 0.3 },
      head: { kind: 'language-model', tied: true },
      ...more,
    },
    { seed: 1 },
  );
}

const documents = [
  [3, 1, 4, 1, 5],
  [9, 2, 6],
  [5, 3, 5, 8, 9, 7],
  [9, 3],
  [2, 3, 8, 4, 6, 2, 6],
];

/** Two rows of eleven: documents 2, 0 and 3 in the first, 4 and 1 and padding in the second. */
const packed = (() => {
  const inputs = new Int32Array(22).fill(7);
  const targets = new Int32Array(22).fill(-100);
  const numbers = new Int32Array(22).fill(5);
  for (const [row, order] of [
    [2, 0, 3],
    [4, 1],
  ].entries()) {
    let at = row * 11;
    for (const n of order) {
      for (const [i, id] of documents[n]!.slice(0, -1).entries()) {
        inputs[at] = id;
        targets[at] = documents[n]![i + 1]!;
        numbers[at++] = n;
      }
    }
  }
  return { inputs, targets, documents: numbers, shape: [2, 11] as const };
})();

/** The documents as rows of their own, padded. */
const separate = (() => {
  const length = Math.max(...documents.map((ids) => ids.length - 1));
  const row = (of: (ids: number[]) => number[], rest: number) => (ids: number[]) =>
    Array.from({ length }, (_, i) => of(ids)[i] ?? rest);
  const flat = (of: (ids: number[]) => number[], rest: number) =>
    Int32Array.from(documents.flatMap(row(of, rest)));
  return {
    inputs: flat((ids) => ids.slice(0, -1), 7),
    targets: flat((ids) => ids.slice(1), -100),
    shape: [documents.length, length] as const,
  };
})();

const positions: Record<string, Parameters<typeof decoder>> = {
  learned: [{ kind: 'learned' }],
  sinusoidal: [{ kind: 'sinusoidal' }],
  rotary: [{ kind: 'rotary' }],
  alibi: [{ kind: 'alibi' }],
  'alibi of rounded places': [{ kind: 'alibi', rounding: 'bfloat16' }],
  'rotary with a scale by length': [
    { kind: 'rotary', scaling: { rope_type: 'dynamic', factor: 2 } },
    { maxLength: 6 },
  ],
  t5: [{ kind: 't5', buckets: 4, maxDistance: 6 }],
  shaw: [{ kind: 'shaw', clip: 2 }],
  'learned, with a window of three': [
    { kind: 'learned' },
    { heads: { count: 3, dim: 4, window: 3 } },
  ],
};

describeBackends('packed documents', (backend) => {
  for (const [name, given] of Object.entries(positions)) {
    const run = backend === 'webgpu' && !['learned', 'alibi'].includes(name) ? fullOnly : test;
    run(`${name}: the loss and every gradient are those of separate rows`, async () => {
      const { network, params } = decoder(...given);
      const objective = causalLanguageModel(network as LanguageModel);
      const of = (batch: typeof packed | typeof separate, checkpoint: boolean) =>
        lossAndGradients(params.named(), () =>
          objective.loss(batch, { training: true, checkpoint }),
        );
      const expected = of(separate, false);
      const actual = of(packed, name === 'learned');
      await expectClose(actual.loss, expected.loss);
      for (const [path, gradient] of Object.entries(actual.gradients)) {
        await expectClose(gradient, expected.gradients[path]!, { ratio: 3e-5, floor: 1e-7 });
      }
      // Two of the documents as one: another loss.
      const merged = packed.documents.map((n) => (n === 3 ? 0 : n));
      const seen = objective.loss({ ...packed, documents: merged });
      expect(Math.abs((await seen.data())[0]! - (await expected.loss.data())[0]!)).toBeGreaterThan(
        1e-3,
      );
      tf.dispose([actual.loss, actual.gradients, expected.loss, expected.gradients, seen]);
      await expectNoLeak(() => objective.loss(packed).dispose());
      params.dispose();
    });
  }
});

test('cross-attention refuses documents, and so does a batch of another size', () => {
  const { network, params } = createModel({
    model_type: 't5',
    vocab_size: 23,
    d_model: 8,
    d_kv: 4,
    d_ff: 8,
    num_layers: 1,
    num_heads: 2,
  });
  const ids = tf.zeros([1, 3], 'int32');
  const encoded = network.encode(ids);
  expect(() => network.decode(ids, encoded, { documents: ids })).toThrow(
    'cross-attention does not know the documents of its keys; expected rows of one document',
  );
  params.dispose();
  const gpt = decoder({ kind: 'learned' });
  const objective = causalLanguageModel(gpt.network as LanguageModel);
  expect(() => objective.loss({ ...packed, documents: new Int32Array(21) })).toThrow(
    'languageModelLoss: documents has shape [21]; expected [22]',
  );
  gpt.params.dispose();
});
