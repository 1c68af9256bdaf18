import * as tf from '@tensorflow/tfjs';
import { none } from '../attention/masks/mask.js';
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
  places?: tf.Tensor,
): tf.Tensor {
  return tf.tidy(() => {
    const [keys, values] = [usedPart(k, length), usedPart(v, length)];
    if (!places) return attentionReference(q, keys, values, { mask: causal, scale });
    const visible = visibleTokens(places, q.shape[2]!, length);
    return attentionReference(q, keys, values, {
      mask: none,
      scale,
      visible,
    });
  });
}

/** Ones where a query may see a token of the cache, `[B, 1, Tq, length]`; a padding query sees what the last one does. */
function visibleTokens(places: tf.Tensor, queries: number, length: number): tf.Tensor {
  const [ends, counts] = places.toFloat().reshape([-1, 2, 1, 1, 1]).unstack(1) as [
    tf.Tensor,
    tf.Tensor,
  ]; // [B, 1, 1, 1]
  const query = tf.range(0, queries).reshape([1, 1, queries, 1]).add(ends.sub(counts));
  const key = tf.range(0, length).reshape([1, 1, 1, length]);
  return key.lessEqual(query.minimum(ends.sub(1))).toFloat();
}
