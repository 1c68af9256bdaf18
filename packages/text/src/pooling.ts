import { meanPooled } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';

export const poolings = ['mean', 'cls', 'last', 'max'] as const;

/** The mean of a text's hidden states, the first, the last, or the largest value of each component. */
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
  const places = lengths.map((count, row) => row * length + (pooling === 'cls' ? 0 : count - 1));
  return states.reshape([rows * length, dim]).gather(tf.tensor1d(places, 'int32'));
}
