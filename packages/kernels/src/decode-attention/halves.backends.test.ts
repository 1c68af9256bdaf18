import { describeKernels, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { causal } from '../attention/masks/order.js';
import { rotary } from '../rotary/index.js';
import type { RotaryTables } from '../rotary/tables.js';
import { appendKeysValues } from './append.js';
import { unpackHalves, wordsOf } from './halves.js';
import { decodeAttention } from './index.js';
import { decodeAttentionReference } from './reference.js';

/** Keys and values as a cache keeps them in halves. */
function packed(k: tf.Tensor, v: tf.Tensor, turn?: RotaryTables): [tf.Tensor, tf.Tensor] {
  const [batch, heads, length, width] = k.shape as [number, number, number, number];
  const room = () => tf.zeros([batch, heads, length, wordsOf(width)], 'int32');
  const [cacheK, cacheV] = [room(), room()];
  appendKeysValues({ k: cacheK, v: cacheV }, { k, v }, { position: 0, turn });
  return [cacheK, cacheV];
}

describeKernels('caches of halves', () => {
  for (const width of [1, 7, 8, 64, 66]) {
    for (const queries of [1, 3, 9]) {
      test(`attention over halves of ${width}, ${queries} queries, is that over what they stand for`, async () => {
        const q = gaussian([2, 4, queries, width], 1);
        const [k, v] = packed(gaussian([2, 2, 70, width], 2), gaussian([2, 2, 70, width], 3));
        const whole = [unpackHalves(k, width), unpackHalves(v, width)] as const;
        await expectClose(
          decodeAttention(q, k, v, { length: 67, scale: 0.5 }),
          decodeAttentionReference(q, ...whole, { mask: causal, mods: [], scale: 0.5, length: 67 }),
        );
      });
    }
  }

  for (const layout of ['half-split', 'interleaved'] as const) {
    for (const [width, pairs] of [
      [64, 32],
      [66, 5],
      [7, 3],
    ] as const) {
      test(`${layout}: keys of ${width}, ${pairs} pairs turned, become the halves of keys turned before`, async () => {
        const [k, v] = [gaussian([2, 3, 5, width], 1), gaussian([2, 3, 5, width], 2)];
        const angles = gaussian([2, 5, pairs], 3);
        const [cos, sin] = [angles.cos(), angles.sin()];
        const [cacheK, cacheV] = packed(k, v, { cos, sin, layout });
        // Not bit by bit: a fused product and sum may round to the half beside.
        await expectClose(unpackHalves(cacheK, width), rotary(k, cos, sin, layout), {
          ratio: 5e-4,
        });
        await expectClose(unpackHalves(cacheV, width), v, { ratio: 5e-4 });
        const q = gaussian([2, 6, 2, width], 4);
        const turn = { cos: cos.slice([0, 3], [2, 2]), sin: sin.slice([0, 3], [2, 2]), layout };
        await expectClose(
          decodeAttention(q, cacheK, cacheV, { length: 5, turn }),
          decodeAttention(rotary(q, turn.cos, turn.sin, layout), cacheK, cacheV, { length: 5 }),
        );
      });
    }
  }

  test('halves are the nearest ones, and at most 65,504', async () => {
    const values = [1, -2.5, 1 / 3, 65_504, 1e9, -1e9, 2 ** -24, 0];
    const expected = [1, -2.5, 0.333251953125, 65_504, 65_504, -65_504, 2 ** -24, 0];
    const x = tf.tensor4d(values, [1, 1, 1, 8]);
    const [k, v] = packed(x, x);
    for (const words of [k, v]) {
      expect([...(await unpackHalves(words, 8).data())]).toEqual(expected);
    }
  });
});
