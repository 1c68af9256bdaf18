import { describeBackends, expectClose, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { causal } from '../attention/masks/order.js';
import { decodeAttention } from './index.js';
import { decodeAttentionReference } from './reference.js';

const plain = { mask: causal, mods: [], scale: 0.5 };

const cases = [
  { heads: [8, 8], queries: 1, length: 1, width: 64 },
  { heads: [8, 2], queries: 1, length: 65, width: 40 },
  { heads: [8, 1], queries: 3, length: 127, width: 8 },
  { heads: [2, 2], queries: 8, length: 63, width: 80 },
  { heads: [2, 1], queries: 5, length: 513, width: 128 },
  { heads: [1, 1], queries: 1, length: 64, width: 256 },
  { heads: [3, 1], queries: 11, length: 30, width: 7 },
] as const;

describeBackends('decodeAttention', () => {
  for (const { heads, queries, length, width } of cases) {
    test(`${queries} queries, ${length} keys, heads ${heads.join('/')} of ${width}`, async () => {
      const q = gaussian([2, heads[0], queries, width], 1);
      const used = [
        gaussian([2, heads[1], length, width], 2),
        gaussian([2, heads[1], length, width], 3),
      ];
      // What lies behind the last token must not be read.
      const [k, v] = used.map((x) =>
        tf.concat([x, tf.fill([2, heads[1], 7, width], Number.NaN)], 2),
      ) as [tf.Tensor, tf.Tensor];
      await poisonMemory([q.shape]);
      const expected = decodeAttentionReference(q, used[0]!, used[1]!, { ...plain, length });
      await expectClose(decodeAttention(q, k, v, { length, scale: 0.5 }), expected);
    });
  }

  test('scores of ±10,000 give no NaN', async () => {
    const q = gaussian([1, 2, 2, 64], 1).mul(100);
    const [k, v] = [gaussian([1, 2, 200, 64], 2).mul(100), gaussian([1, 2, 200, 64], 3)];
    await expectClose(
      decodeAttention(q, k, v, { length: 200 }),
      decodeAttentionReference(q, k, v, { ...plain, scale: 0.125, length: 200 }),
      { ratio: 1e-3 },
    );
  });

  test('a length beyond the cache is named', () => {
    const [q, k] = [tf.zeros([1, 2, 3, 4]), tf.zeros([1, 2, 9, 4])];
    for (const length of [2, 10, 3.5]) {
      expect(() => decodeAttention(q, k, k, { length })).toThrow(
        `decodeAttention: length is ${length}; expected 3 (queries) to 9 (room in the cache)`,
      );
    }
  });
});
