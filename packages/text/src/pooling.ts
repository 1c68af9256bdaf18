import { meanPooled } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';

export const poolings = ['mean', 'cls', 'last', 'max', 'mean-sqrt', 'weighted-mean'] as const;

/**
 * What a text's hidden states become: their mean, the first, the last, the largest value of each component, their sum over the
 * square root of their number, or their mean with the weights 1, 2, … .
 */
export type Pooling = (typeof poolings)[number];

/** Below every hidden state; an infinity would not pass every GPU. */
const lowest = -3e38;

/**
 * One vector for each row of hidden states.
 *
 * @param states `[B, T, D]`
 * @param attentionMask `[B, T]`, int32, 0 at padding, which is on the right
 * @param lengths tokens of each row, at least 1
 * @returns `[B, D]`
 */
export function pooled(
  states: tf.Tensor,
  attentionMask: tf.Tensor2D,
  lengths: readonly number[],
  pooling: Pooling,
): tf.Tensor {
  const [rows, length, dim] = states.shape as [number, number, number];
  if (pooling === 'mean') return meanPooled(states, attentionMask);
  if (pooling === 'max') {
    return tf.where(attentionMask.toBool().expandDims(-1), states, lowest).max(1);
  }
  if (pooling === 'mean-sqrt') {
    return meanPooled(states, attentionMask).mul(
      tf.sqrt(tf.tensor2d(lengths as number[], [rows, 1])),
    );
  }
  if (pooling === 'weighted-mean') {
    const weights = attentionMask.toFloat().mul(tf.range(1, length + 1)); // [B, T]
    return states.mul(weights.expandDims(-1)).sum(1).div(weights.sum(1, true));
  }
  const places = lengths.map((count, row) => row * length + (pooling === 'cls' ? 0 : count - 1));
  return states.reshape([rows * length, dim]).gather(tf.tensor1d(places, 'int32'));
}
