import type { AttentionProbe } from '@headwise/core';
import { attentionMap, type MapOptions } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

/**
 * What can be asked of an attention layer while it runs.
 *
 * @param q `[B, H, Tq, Dh]`
 * @param k `[B, Hkv, Tk, Dh]`
 */
export function attentionProbe(q: tf.Tensor, k: tf.Tensor, options: MapOptions): AttentionProbe {
  const [batch, heads, queries] = q.shape as [number, number, number, number];
  return {
    shape: [batch, heads, queries, k.shape[2]!],
    scores: (part) => tf.tidy(() => attentionMap(q, k, part, options).scores),
    pattern: (part) => tf.tidy(() => attentionMap(q, k, part, options).weights),
  };
}
