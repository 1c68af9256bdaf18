import type { AttentionProbe } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { type AttentionOptions, attention } from '../attention/index.js';
import { none } from '../attention/masks/mask.js';
import { attentionReference, type ReferenceOptions } from '../attention/reference.js';
import { rowAttention } from './index.js';
import { attentionProbe } from './probe.js';
import type { RowTerm } from './term.js';

/** All that attention of a layer can be told. */
export interface LayerAttentionOptions extends AttentionOptions {
  /** What is made for a few queries at a time, before the mods. */
  term?: RowTerm | undefined;
  /** Called with a probe that computes some rows of the scores and weights beside attention. */
  onProbe?: ((probe: AttentionProbe) => void) | undefined;
  /** Who is shown the scores and the weights; asked after the probe was given, which may be enough. */
  shown?: (() => Pick<ReferenceOptions, 'onScores' | 'onPattern'>) | undefined;
}

/**
 * `attention`, or `rowAttention` where there is a term; in plain operations where the scores or the weights are shown,
 * which may be replaced.
 *
 * @param q `[B, H, Tq, Dh]`
 * @param k `[B, Hkv, Tk, Dh]`, where Hkv divides H
 * @param v `[B, Hkv, Tk, Dv]`
 * @returns `[B, H, Tq, Dv]`
 */
export function layerAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { term, onProbe, shown, ...options }: LayerAttentionOptions,
): tf.Tensor {
  const { mask = none } = options;
  const scale = options.scale ?? 1 / Math.sqrt(Math.max(1, q.shape[3]!));
  const keys = k.shape[2]!;
  const { mods, sinks } = options;
  const rows = { q, k, keys, place: keys - q.shape[2]! };
  onProbe?.(attentionProbe(rows, keys, { mask, mods, scale, sinks }, term));
  const { onScores, onPattern } = shown?.() ?? {};
  const given = { ...options, mask, scale, onScores, onPattern };
  if (term) return rowAttention(q, k, v, term, given);
  return onScores || onPattern ? attentionReference(q, k, v, given) : attention(q, k, v, given);
}
