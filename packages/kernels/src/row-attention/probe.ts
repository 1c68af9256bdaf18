import type { AttentionProbe } from '@headwise/core';
import type { MapPart } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { attentionMap, type MapOptions } from '../attention/map.js';
import { modsOf, type Rows, type RowTerm } from './term.js';

/**
 * What can be asked of attention while it runs.
 *
 * @param rows all queries; keys are read when a map is asked for
 * @param keys the number of columns
 * @param options a mask and mods, those of the term not among them
 */
export function attentionProbe(
  rows: Rows,
  keys: number,
  options: MapOptions,
  term: RowTerm | undefined,
): AttentionProbe {
  const [batch, heads, queries] = rows.q.shape as [number, number, number, number];
  const map = (part: MapPart | undefined) =>
    attentionMap(rows.q, rows.k, part, {
      ...options,
      mods: [...modsOf(term, rows), ...(options.mods ?? [])],
    });
  return {
    shape: [batch, heads, queries, keys],
    scores: (part) => tf.tidy(() => map(part).scores),
    pattern: (part) => tf.tidy(() => map(part).weights),
  };
}
