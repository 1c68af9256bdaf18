import { checkShape, type ForwardContext, type Layer, tapped } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { additiveMask, type Mask, none } from './mask.js';

export interface AttendOptions {
  /** Default `none`. */
  mask?: Mask;
  /** Default `1 / √Dh`. */
  scale?: number;
  /** Applied to the weights in training. */
  dropout?: Layer | undefined;
  /** Passed on to dropout; its tap sees `scores` and `pattern`. */
  ctx?: ForwardContext | undefined;
  /** The path that taps are named after. */
  path?: string;
}

/**
 * Scaled dot-product attention: `softmax(Q Kᵀ / √Dh + M) V`.
 *
 * @param q `[B, H, Tq, Dh]`
 * @param k `[B, H, Tk, Dh]`
 * @param v `[B, H, Tk, Dv]`
 * @returns `[B, H, Tq, Dv]`
 * @throws ShapeError where batch, heads, lengths or widths do not fit
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
 */
export function attend(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttendOptions = {},
): tf.Tensor {
  checkShape('attend: q', q.shape, ['B', 'H', 'Tq', 'Dh']);
  const [batch, heads, queries, headDim] = q.shape as [number, number, number, number];
  checkShape('attend: k', k.shape, [batch, heads, 'Tk', headDim]);
  const keys = k.shape[2]!;
  checkShape('attend: v', v.shape, [batch, heads, keys, 'Dv']);
  const { mask = none, scale = 1 / Math.sqrt(headDim), dropout, ctx, path = '' } = options;
  return tf.tidy(() => {
    // Scaling the queries touches Tq · Dh values, not Tq · Tk.
    const raw = tf.matMul(q.mul(scale), k, false, true); // [B, H, Tq, Tk]
    const added = additiveMask(mask, queries, keys);
    const scores = tapped(ctx, path, 'scores', added ? raw.add(added) : raw);
    const pattern = tapped(ctx, path, 'pattern', tf.softmax(scores));
    return tf.matMul(dropout ? dropout.forward(pattern, ctx) : pattern, v);
  });
}
