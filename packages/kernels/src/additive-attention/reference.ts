import * as tf from '@tensorflow/tfjs';
import { activations, type LinearActivation } from '../linear/activation.js';

/** What additive attention does to a sum of query and key; `none` is its plain form. */
export type AdditiveActivation = 'tanh' | LinearActivation;

/** Additive scores in plain operations: the specification. It stores `f(q_i + k_j)`. */
export function additiveScoresReference(
  q: tf.Tensor,
  k: tf.Tensor,
  w: tf.Tensor,
  activation: AdditiveActivation,
): tf.Tensor {
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  const [, kvHeads, keys] = k.shape as [number, number, number];
  const f = activation === 'tanh' ? tf.tanh : activations[activation];
  return tf.tidy(() => {
    // The query heads that share keys follow each other, so that no key is copied.
    const [all, group] = [batch * kvHeads, heads / kvHeads];
    const asking = q.reshape([all, group * queries, 1, width]);
    const asked = k.reshape([all, 1, keys, width]);
    const weights = w
      .reshape([1, heads, 1, width])
      .tile([batch, 1, queries, 1])
      .reshape([all, group * queries, 1, width]);
    const sums = f(asking.add(asked)).mul(weights).sum(-1); // [B Hkv, G Tq, Tk]
    return sums.reshape([batch, heads, queries, keys]);
  });
}
