import type { AttentionProbe } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { Heads } from '../attention/heads.js';
import { type AttentionOptions, attentionOfHeads } from '../attention/index.js';
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
 * `attention` of heads where they lie, or `rowAttention` where there is a term; in plain operations where the scores or the
 * weights are shown, which may be replaced.
 *
 * @param q `[B, H, Tq, Dh]`
 * @param k `[B, Hkv, Tk, Dh]`, where Hkv divides H
 * @param v `[B, Hkv, Tk, Dv]`
 * @returns `[B, H, Tq, Dv]`, in the order of q's axes where it is fused
 */
export function layerAttention(
  q: Heads,
  k: Heads,
  v: Heads,
  { term, onProbe, shown, ...options }: LayerAttentionOptions,
): Heads {
  const { mask = none } = options;
  const scale = options.scale ?? 1 / Math.sqrt(Math.max(1, q.shape[3]));
  const [queries, keys] = [q.shape[2], k.shape[2]];
  const { mods, sinks } = options;
  if (onProbe) {
    const rows = { q: q.headsFirst(), k: k.headsFirst(), keys, place: keys - queries };
    onProbe(attentionProbe(rows, keys, { mask, mods, scale, sinks }, term));
  }
  const { onScores, onPattern } = shown?.() ?? {};
  const given = { ...options, mask, scale, onScores, onPattern };
  if (!term && !onScores && !onPattern) return attentionOfHeads(q, k, v, given);
  const attended = tf.tidy(() => {
    const [x, y, z] = [q.headsFirst(), k.headsFirst(), v.headsFirst()];
    return term ? rowAttention(x, y, z, term, given) : attentionReference(x, y, z, given);
  });
  return Heads.of(attended);
}
