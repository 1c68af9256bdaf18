import { describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { decodeAttention } from '../decode-attention/index.js';
import { rowAttention } from '../row-attention/index.js';
import { attention, attentionWithLogSumExp } from './index.js';
import { attentionMap } from './map.js';
import { dense } from './masks/dense.js';
import { and, type Mask } from './masks/mask.js';
import { causal, slidingWindow } from './masks/order.js';
import { padding } from './masks/tokens.js';
import { attentionReference } from './reference.js';

const [heads, tokens, width] = [2, 5, 8];

/** Queries and keys whose products are −size, falling with the key's place where a query sees it: the last key would win. */
function far(size: number): Record<'q' | 'k' | 'v', tf.Tensor4D> {
  const ones = tf.ones([1, heads, tokens, width]);
  const falling = tf.range(tokens, 0, -1).reshape([1, 1, tokens, 1]);
  return {
    q: ones.mul(-Math.sqrt(size)) as tf.Tensor4D,
    k: ones.mul(falling).mul(Math.sqrt(size) / width) as tf.Tensor4D,
    v: gaussian([1, heads, tokens, width], 2) as tf.Tensor4D,
  };
}

/** Each query's value is that of the last key that it sees: its score is the largest by far. */
const valuesAt = (v: tf.Tensor4D, last: readonly number[]) =>
  tf.gather(v, tf.tensor1d([...last], 'int32'), 2);

describeBackends('keys that are hidden', () => {
  const masks: [Mask, number[]][] = [
    [causal, [0, 1, 2, 3, 4]],
    [and(causal, slidingWindow(2)), [0, 1, 2, 3, 4]],
    [and(causal, padding(tf.tensor1d([3], 'int32'))), [0, 1, 2, 2, 2]],
    [
      dense(
        tf.linalg
          .bandPart(tf.ones([tokens, tokens]), -1, 0)
          .reshape([1, 1, 5, 5])
          .toInt(),
      ),
      [0, 1, 2, 3, 4],
    ],
  ];
  for (const [mask, last] of masks) {
    test(`by ${mask.name} have no weight, however low the scores of the others are`, async () => {
      for (const size of [1e3, 1e29, 1e31, 2e34, 6e37]) {
        const { q, k, v } = far(size);
        const options = { mask, scale: 1 };
        const expected = valuesAt(v, last);
        await expectClose(attention(q, k, v, options), expected);
        await expectClose(attentionReference(q, k, v, { mask, scale: 1 }), expected);
        const { weights } = attentionMap(q, k, {}, options);
        await expectClose(tf.matMul(weights, v), expected);
        await expectClose(rowAttention(q, k, v, { inputs: [] }, options), expected);
        const sinks = tf.fill([heads], -3.3e38);
        await expectClose(attention(q, k, v, { ...options, sinks }), expected);
        const { output, logSumExp } = attentionWithLogSumExp(q, k, v, options);
        await expectClose(output, expected);
        expect((await logSumExp.data()).every(Number.isFinite)).toBe(true);
      }
    });
  }

  test('in a cache have no weight either, whole or in sequences of different lengths', async () => {
    for (const size of [1e31, 2e34]) {
      const { q, k, v } = far(size);
      const newest = q.slice([0, 0, 3, 0], [1, heads, 2, width]);
      await expectClose(
        decodeAttention(newest, k, v, { length: 5, scale: 1 }),
        valuesAt(v, [3, 4]),
      );
      const places = tf.tensor2d([[4, 2]], [1, 2], 'int32');
      await expectClose(
        decodeAttention(newest, k, v, { length: 5, scale: 1, places }),
        valuesAt(v, [2, 3]),
      );
    }
  });

  test('all of them: the output and every gradient are 0, as for a query among others', async () => {
    const { q, k, v } = far(1e3);
    const mask = and(causal, padding(tf.tensor2d([[0, 0, 1, 1, 1]], [1, 5], 'int32')));
    for (const run of [
      (...[q, k, v]: tf.Tensor[]) => attention(q!, k!, v!, { mask, scale: 1e-3 }),
      (...[q, k, v]: tf.Tensor[]) => attentionReference(q!, k!, v!, { mask, scale: 1e-3 }),
    ]) {
      const y = run(q, k, v).slice([0, 0, 0, 0], [1, heads, 2, width]);
      expect(new Set(await y.data())).toEqual(new Set([0]));
      const gradients = tf.grads(run)([q, k, v], gaussian([1, heads, tokens, width], 4));
      for (const gradient of gradients) {
        expect((await gradient.data()).every(Number.isFinite)).toBe(true);
      }
      const ofQueries = await gradients[0]!.slice([0, 0, 0, 0], [1, heads, 2, width]).data();
      expect(ofQueries.every((x) => x === 0)).toBe(true);
    }
  });
});
