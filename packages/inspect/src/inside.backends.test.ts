import type { LanguageModel } from '@headwise/core';
import { createModel } from '@headwise/models';
import { describeBackends, expectClose, expectNoLeak } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { capture, logitLens, neurons } from './index.js';

const sizes = { vocab_size: 11, n_positions: 13, n_embd: 12, n_layer: 2, n_head: 3 };
const makeModel = () =>
  createModel({ model_type: 'gpt2', ...sizes, initializer_range: 0.5 }, { seed: 1 });

describeBackends('neurons and the logit lens', () => {
  let model: ReturnType<typeof makeModel>;
  let ids: tf.Tensor;
  beforeAll(() => {
    model = makeModel();
    ids = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [2, 5], 'int32');
  });
  afterAll(() => {
    model.params.dispose();
    ids.dispose();
  });

  test('the products of a query and a key add up to their score', async () => {
    const layer = 'blocks.1.attn';
    const names = [`${layer}.scores`, `${layer}.pattern`];
    const captured = capture(model.network, ids, names);
    const [scores, pattern] = await Promise.all(
      names.map(async (name) => (await captured.get(name).array()) as number[][][][]),
    );
    captured.dispose();
    for (const [sequence, head, row] of [
      [1, 2, 3],
      [0, 0, 4],
    ] as const) {
      const found = await neurons(model.network, ids, { layer, head, row, sequence });
      expect([found.query.length, found.keys.length, found.products.length]).toEqual([4, 20, 20]);
      await expectClose(found.weights, pattern![sequence]![head]![row]!);
      const sums = Array.from({ length: row + 1 }, (_, key) =>
        found.products.subarray(4 * key, 4 * key + 4).reduce((a, b) => a + b, 0),
      );
      const visible = scores![sequence]![head]![row]!.slice(0, row + 1);
      await expectClose(
        sums.map((sum) => sum / 2), // √4
        visible,
      );
    }
  });

  test('the last layer of the logit lens is what the model says itself', async () => {
    const layers = await logitLens(model.network, ids, { top: 11, sequence: 1 });
    const scores = tf.softmax(model.network.forward(ids).slice([1], [1]));
    const own = ((await scores.array()) as number[][][])[0]!;
    for (const [t, { ids, probabilities }] of layers.at(-1)!.tokens.entries()) {
      await expectClose(
        probabilities,
        ids.map((id) => own[t]![id]!),
        { ratio: 1e-5 },
      );
      expect([...ids].sort((a, b) => a - b)).toEqual([...Array(11).keys()]);
    }
  });

  test('what does not exist is said, and nothing is left behind', async () => {
    await expectNoLeak(async () => {
      const at = (change: object) => ({ layer: 'blocks.0.attn', head: 0, row: 0, ...change });
      const ask = (change: object) => neurons(model.network, ids, at(change));
      await ask({});
      await logitLens(model.network, ids);
      await expect(ask({ layer: 'blocks.9.attn' })).rejects.toThrow(
        "no activation is named 'blocks.9.attn.q'; near are blocks.0.attn.q",
      );
      await expect(ask({ head: 3 })).rejects.toThrow('head 3 does not exist; expected 0 to 2');
      await expect(ask({ row: 5 })).rejects.toThrow('row 5 does not exist; expected 0 to 4');
      await expect(ask({ sequence: 2 })).rejects.toThrow('sequence 2 does not exist');
      const lens = (options: object) => logitLens(model.network, ids, options);
      await expect(lens({ top: 12 })).rejects.toThrow('logitLens: top is 12; expected 1 to 11');
      await expect(lens({ sequence: -1 })).rejects.toThrow('logitLens: sequence is -1');
      const bare: LanguageModel = {
        vocabSize: 3,
        maxLength: 5,
        forward: (ids) => tf.zeros([...ids.shape, 3]),
      };
      await expect(logitLens(bare, ids)).rejects.toThrow("no activation named 'resid'");
    });
  });
});
