import * as tf from '@tensorflow/tfjs';
import { causal } from '../attention/masks/order.js';
import { attentionReference } from '../attention/reference.js';

/** The part of a cache that holds tokens. */
export function usedPart(cache: tf.Tensor, length: number): tf.Tensor {
  const [batch, heads, , width] = cache.shape as [number, number, number, number];
  return cache.slice([0, 0, 0, 0], [batch, heads, length, width]);
}

/** Attention over the used part of a cache in plain operations. */
export function decodeAttentionReference(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  length: number,
  scale: number,
): tf.Tensor {
  return tf.tidy(() =>
    attentionReference(q, usedPart(k, length), usedPart(v, length), { mask: causal, scale }),
  );
}
