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
 * @param attentionMask `[B, T]`, int32, 0 at padding, which is on the right; a token or more in each row
 * @returns `[B, D]`
 */
export function pooled(states: tf.Tensor, attentionMask: tf.Tensor, pooling: Pooling): tf.Tensor {
  const [rows, length, dim] = states.shape as [number, number, number];
  const lengths = () => attentionMask.sum(1); // [B]
  if (pooling === 'mean') return meanPooled(states, attentionMask);
  if (pooling === 'max') {
    return tf.where(attentionMask.toBool().expandDims(-1), states, lowest).max(1);
  }
  if (pooling === 'mean-sqrt') {
    return meanPooled(states, attentionMask).mul(lengths().toFloat().sqrt().expandDims(-1));
  }
  if (pooling === 'weighted-mean') {
    const weights = attentionMask.toFloat().mul(tf.range(1, length + 1)); // [B, T]
    return states.mul(weights.expandDims(-1)).sum(1).div(weights.sum(1, true));
  }
  if (pooling === 'cls') return states.slice([0, 0, 0], [rows, 1, dim]).squeeze([1]);
  const isLast = tf.range(0, length, 1, 'int32').equal(lengths().sub(1).expandDims(-1)); // [B, T]
  return states.mul(isLast.toFloat().expandDims(-1)).sum(1);
}
