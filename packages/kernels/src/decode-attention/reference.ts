import * as tf from '@tensorflow/tfjs';
import { atPositions, type Scoring } from '../attention/at-positions.js';
import { b, k as key, row, select } from '../attention/expression/expression.js';
import { scoreTable } from '../attention/expression/table.js';
import { attentionReference } from '../attention/reference.js';
import type { Ring } from './ring.js';

/** The part of a cache that holds tokens. */
export function usedPart(cache: tf.Tensor, length: number): tf.Tensor {
  const [batch, heads, capacity, width] = cache.shape as [number, number, number, number];
  return cache.slice([0, 0, 0, 0], [batch, heads, Math.min(length, capacity), width]);
}

/** What `decodeAttention` computes, besides products. */
export interface DecodeScoring extends Scoring {
  scale: number;
  length: number;
  places?: tf.Tensor | undefined;
  ring?: Ring | undefined;
  sinks?: tf.Tensor | undefined;
}

/** Attention over the used part of a cache in plain operations. */
export function decodeAttentionReference(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { length, places, ring, scale, sinks, ...scoring }: DecodeScoring,
): tf.Tensor {
  return tf.tidy(() => {
    const [keys, values] = [usedPart(k, length), usedPart(v, length)];
    const [batch, , queries] = q.shape as [number, number, number];
    const moved =
      places || ring
        ? inCache(
            scoring,
            places ?? tf.tensor2d(Array(batch).fill([length, queries]), [batch, 2], 'int32'),
            ring,
          )
        : scoring;
    return attentionReference(q, keys, values, { ...moved, scale, sinks });
  });
}

/**
 * A mask and mods for queries and keys of a cache.
 *
 * @param places int32, `[B, 2]`: the tokens of each sequence, new ones included, and how many are new
 */
function inCache(scoring: Scoring, places: tf.Tensor, ring: Ring | undefined): Scoring {
  const of = scoreTable(places, 'int32');
  const end = of.at(b, 0);
  const shift = end.sub(of.at(b, 1));
  // Padding has the position of the last token.
  const q = shift.add(row).min(end.sub(1));
  const token = ring ? key.add(end.sub(1).sub(key).div(ring.size).max(0).mul(ring.size)) : key;
  const k = ring ? select(key.less(ring.sinks), key, token) : key;
  return atPositions(scoring, { q, k, shift, held: key.less(end) });
}
