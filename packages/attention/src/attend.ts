import { checkShape, type ForwardContext, InputError, tapped } from '@headwise/core';
import { isTapped } from '@headwise/core/internal';
import { Heads, type Mask, type ScoreMod } from '@headwise/kernels';
import {
  checkScoring,
  type LayerAttentionOptions,
  layerAttention,
  type RowTerm,
} from '@headwise/kernels/internal';
import type { Dropout } from '@headwise/layers';
import type * as tf from '@tensorflow/tfjs';

export interface AttendOptions {
  /** Default `none`. */
  mask?: Mask | undefined;
  /** What is done to the scaled products before the softmax, in this order. */
  mods?: readonly ScoreMod[] | undefined;
  /** Default `1 / √Dh`. */
  scale?: number | undefined;
  /** What is made for a few queries at a time, before the mods. */
  term?: RowTerm | undefined;
  /** `[H]`: a learned score for each head that takes part in the softmax and has no value. */
  sinks?: tf.Tensor | undefined;
  /** Of the weights, in training. */
  dropout?: Dropout | undefined;
  /** Tells dropout of training; its tap sees `scores` and `pattern`, its `onAttention` a probe. */
  ctx?: ForwardContext | undefined;
  /** The path that taps are named after. */
  path?: string | undefined;
}

/**
 * Scaled dot-product attention: `softmax(mods(Q Kᵀ / √Dh) + M) V`.
 *
 * On WebGPU one fused kernel, whose memory grows with `T` and not with `T²`; in plain operations where
 * a tap wants the scores or the weights, which it may replace.
 *
 * @param q `[B, H, Tq, Dh]`
 * @param k `[B, Hkv, Tk, Dh]`, where Hkv divides H
 * @param v `[B, Hkv, Tk, Dv]`
 * @returns `[B, H, Tq, Dv]`
 * @throws ShapeError where batch, heads, lengths or widths do not fit; InputError for what is not a mask or a score mod
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
 */
export function attend(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttendOptions = {},
): tf.Tensor {
  checkScoring('attend', options);
  checkShape('attend: q', q.shape, ['B', 'H', 'Tq', 'Dh']);
  const [batch, heads, , headDim] = q.shape as [number, number, number, number];
  checkShape('attend: k', k.shape, [batch, 'Hkv', 'Tk', headDim]);
  const [, kvHeads, keys] = k.shape as [number, number, number];
  checkShape('attend: v', v.shape, [batch, kvHeads, keys, 'Dv']);
  if (kvHeads === 0 || heads % kvHeads !== 0) {
    throw new InputError(
      `attend: ${heads} heads of queries do not share ${kvHeads} of keys evenly`,
    );
  }
  return layerAttention(Heads.of(q), Heads.of(k), Heads.of(v), inPass(options)).headsFirst();
}

/** What kernels are told of attention in a forward pass: taps and a probe as callbacks, dropout with its seed. */
export function inPass({
  ctx,
  path = '',
  dropout,
  ...given
}: AttendOptions): LayerAttentionOptions {
  const onAttention = ctx?.onAttention;
  const shows = (name: string) =>
    isTapped(ctx, path, name) ? (value: tf.Tensor) => tapped(ctx, path, name, value) : undefined;
  return {
    ...given,
    dropout: dropout?.draw(ctx),
    ...(onAttention ? { onProbe: (probe) => onAttention(path, probe) } : {}),
    shown: ctx?.tap && (() => ({ onScores: shows('scores'), onPattern: shows('pattern') })),
  };
}
