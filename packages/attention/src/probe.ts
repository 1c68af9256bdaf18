import type { AttentionProbe } from '@headwise/core';
import type { MapPart } from '@headwise/core/internal';
import { attentionMap, type MapOptions, type RowTerm } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

/**
 * What can be asked of an attention layer while it runs.
 *
 * @param q `[B, H, Tq, Dh]`
 * @param k `[B, Hkv, Tk, Dh]`
 * @param term what scores get besides, or instead of products
 */
export function attentionProbe(
  q: tf.Tensor,
  k: tf.Tensor,
  options: MapOptions,
  term?: RowTerm,
): AttentionProbe {
  const [batch, heads, queries] = q.shape as [number, number, number, number];
  const place = k.shape[2]! - queries;
  const map = (part: MapPart | undefined) => {
    if (!term?.mods) return attentionMap(q, k, part, options);
    const mods = [...term.mods({ q, k, place }, term.inputs), ...(options.mods ?? [])];
    return attentionMap(q, k, part, { ...options, mods });
  };
  return {
    shape: [batch, heads, queries, k.shape[2]!],
    scores: (part) => tf.tidy(() => map(part).scores),
    pattern: (part) => tf.tidy(() => map(part).weights),
  };
}
