import {
  describeBackends,
  expectClose,
  expectNoLeak,
  gaussian,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { appendKeysValues } from './append.js';
import { decodeAttention } from './index.js';
import { decodeAttentionReference } from './reference.js';

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
      const expected = decodeAttentionReference(q, used[0]!, used[1]!, length, 0.5);
      await expectClose(decodeAttention(q, k, v, { length, scale: 0.5 }), expected);
    });
  }

  test('scores of ±10,000 give no NaN', async () => {
    const q = gaussian([1, 2, 2, 64], 1).mul(100);
    const [k, v] = [gaussian([1, 2, 200, 64], 2).mul(100), gaussian([1, 2, 200, 64], 3)];
    await expectClose(
      decodeAttention(q, k, v, { length: 200 }),
      decodeAttentionReference(q, k, v, 200, 0.125),
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

describeBackends('appendKeysValues', () => {
  test('writes tokens in place, leaves the others and other tensors as they are', async () => {
    const start = [gaussian([2, 3, 9, 5], 1), gaussian([2, 3, 9, 5], 2)];
    const cache = { k: tf.variable(start[0]!), v: tf.variable(start[1]!) };
    const before = await Promise.all(start.map((x) => x.data()));
    // Values that were read before must not be taken for those after.
    await cache.k.data();
    const added = { k: gaussian([2, 3, 2, 5], 3), v: gaussian([2, 3, 2, 5], 4) };
    appendKeysValues(cache, added, 4);
    for (const [i, name] of (['k', 'v'] as const).entries()) {
      const expected = tf.concat(
        [
          start[i]!.slice([0, 0, 0, 0], [2, 3, 4, 5]),
          added[name],
          start[i]!.slice([0, 0, 6, 0], [2, 3, 3, 5]),
        ],
        2,
      );
      expect(await cache[name].data()).toEqual(await expected.data());
      expect(await start[i]!.data()).toEqual(before[i]);
    }
    await expectNoLeak(() => appendKeysValues(cache, added, 7));
    expect(() => appendKeysValues(cache, added, 8)).toThrow(
      'appendKeysValues: 2 tokens at position 8 do not fit into a cache for 9',
    );
    tf.dispose([cache.k, cache.v]);
  });

  test('token by token with decodeAttention equals one pass', async () => {
    const [q, k, v] = [1, 2, 3].map((seed) => gaussian([1, 2, 6, 8], seed)) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const cache = {
      k: tf.variable(tf.zeros([1, 2, 10, 8])),
      v: tf.variable(tf.zeros([1, 2, 10, 8])),
    };
    const token = (x: tf.Tensor, t: number) => x.slice([0, 0, t, 0], [1, 2, 1, 8]);
    const outputs = Array.from({ length: 6 }, (_, t) => {
      appendKeysValues(cache, { k: token(k, t), v: token(v, t) }, t);
      return decodeAttention(token(q, t), cache.k, cache.v, { length: t + 1 });
    });
    await expectClose(tf.concat(outputs, 2), decodeAttentionReference(q, k, v, 6, 8 ** -0.5));
    tf.dispose([cache.k, cache.v]);
  });
});
