import { initializers } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { ScoreKind } from './score.js';

/**
 * Luong's general score, `q_iᵀ W k_j`, with a learned matrix for each head.
 *
 * Parameters: `weight` `[H, Dh, Dh]`. It is folded into the queries, `(q_iᵀ W) · k_j`, so that the rest is a
 * product.
 *
 * @see Luong, Pham and Manning 2015, https://arxiv.org/abs/1508.04025
 */
export const generalScore: ScoreKind = (params, { heads, headDim }) => {
  const weight = params.get('weight', [heads, headDim, headDim], initializers.glorotUniform);
  return {
    name: 'general',
    scale: 1,
    queries: (q) =>
      tf.tidy(() => {
        const [batch, , length] = q.shape as [number, number, number];
        const rows = q.transpose([1, 0, 2, 3]).reshape([heads, batch * length, headDim]);
        const folded = tf.matMul(rows, weight as tf.Tensor); // [H, B T, Dh]
        return folded.reshape([heads, batch, length, headDim]).transpose([1, 0, 2, 3]);
      }),
  };
};
