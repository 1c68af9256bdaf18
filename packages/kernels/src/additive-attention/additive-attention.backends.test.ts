import {
  checkGradients,
  describeBackends,
  expectClose,
  fullOnly,
  gaussian,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { causal } from '../attention/masks/order.js';
import { additiveAttention, additiveScores } from './index.js';

describeBackends('additive attention', (backend) => {
  // On the GPU gradients are compared with the reference's in additive-attention.gpu.test.ts.
  const notOnWebGpu = backend === 'webgpu' ? fullOnly : test;

  test('by hand: w · tanh(q + k), and its plain form w · (q + k)', async () => {
    const q = tf.tensor4d([0.5, -1], [1, 1, 1, 2]);
    const k = tf.tensor4d([0.5, 1, -1, 3, 0, 0], [1, 1, 3, 2]);
    const w = tf.tensor2d([2, 3], [1, 2]);
    const { tanh } = Math;
    await expectClose(additiveScores(q, k, w), [
      2 * tanh(1) + 3 * tanh(0),
      2 * tanh(-0.5) + 3 * tanh(2),
      2 * tanh(0.5) + 3 * tanh(-1),
    ]);
    await expectClose(additiveScores(q, k, w, 'none'), [2, 5, -2]);
    await expectClose(additiveScores(q, k, w, 'relu'), [2, 6, 1]);
  });

  notOnWebGpu('has the gradient of a central difference', async () => {
    const inputs = [
      gaussian([2, 4, 3, 5], 1),
      gaussian([2, 2, 7, 5], 2),
      gaussian([2, 2, 7, 3], 3),
      gaussian([4, 5], 4),
    ];
    await checkGradients((q, k, v, w) => additiveAttention(q!, k!, v!, w!), inputs);
    await checkGradients(
      (q, k, v, w) => additiveAttention(q!, k!, v!, w!, { mask: causal }),
      inputs,
    );
  });

  test('a query whose first key alone is seen gives its value', async () => {
    const [q, k, v] = [
      gaussian([1, 1, 3, 4], 1),
      gaussian([1, 1, 3, 4], 2),
      gaussian([1, 1, 3, 2], 3),
    ];
    const y = additiveAttention(q, k, v, gaussian([1, 4], 4), { mask: causal });
    const first = [0, 0, 0, 0];
    await expectClose(y.slice(first, [1, 1, 1, 2]), await v.slice(first, [1, 1, 1, 2]).data());
  });

  test('bad input is named', () => {
    const q = tf.zeros([2, 4, 3, 5]);
    const w = tf.zeros([4, 5]);
    const bad = (message: string, ...args: Parameters<typeof additiveScores>) =>
      expect(() => additiveScores(...args)).toThrow(message);
    bad(
      'additiveScores: k has shape [2, 4, 3, 6]; expected [2, Hkv, Tk, 5]',
      q,
      tf.zeros([2, 4, 3, 6]),
      w,
    );
    bad('additiveScores: w has shape [5, 4]; expected [4, 5]', q, q, tf.zeros([5, 4]));
    bad('additiveScores: w has type int32; expected float32', q, q, w.toInt());
    bad(
      "additiveScores: q has 4 heads and k has 3; expected a multiple of k's",
      q,
      tf.zeros([2, 3, 3, 5]),
      w,
    );
  });
});
