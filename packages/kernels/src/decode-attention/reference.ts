import * as tf from '@tensorflow/tfjs';
import { atPositions, type Scoring } from '../attention/at-positions.js';
import { b, IntExpression, k as key, row, select } from '../attention/expression/expression.js';
import { scoreTable } from '../attention/expression/table.js';
import { attentionReference, type ReferenceOptions } from '../attention/reference.js';
import type { Ring } from './ring.js';

/** The part of a cache that holds tokens. */
export function usedPart(cache: tf.Tensor, length: number): tf.Tensor {
  const [batch, heads, capacity, width] = cache.shape as [number, number, number, number];
  if (length >= capacity) return cache;
  return cache.slice([0, 0, 0, 0], [batch, heads, length, width]);
}

/** What `decodeAttention` computes, besides products, and where its queries and keys stand. */
export interface DecodeScoring
  extends Scoring,
    Pick<ReferenceOptions, 'sinks' | 'dropout' | 'onScores' | 'onPattern' | 'values'> {
  scale: number;
  length: number;
  places?: tf.Tensor | undefined;
  ring?: Ring | undefined;
}

/** Attention over the used part of a cache in plain operations. */
export function decodeAttentionReference(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { length, places, ring, mask, mods, ...given }: DecodeScoring,
): tf.Tensor {
  return tf.tidy(() => {
    const scoring = { mask, mods };
    const moved =
      places || ring ? atTokens(scoring, { length, queries: q.shape[2]!, places, ring }) : scoring;
    return attentionReference(q, usedPart(k, length), usedPart(v, length), { ...moved, ...given });
  });
}

/** Where the queries and keys of a cache stand. */
interface Tokens {
  /** The tokens of the longest sequence. */
  length: number;
  queries: number;
  /** int32, `[B, 2]`: the tokens of each sequence, new ones included, and how many are new. */
  places: tf.Tensor | undefined;
  ring: Ring | undefined;
}

/** A mask and mods at the positions of tokens, for kernels that see the places of a cache. */
export function atTokens(scoring: Scoring, { length, queries, places, ring }: Tokens): Scoring {
  const of = places && scoreTable(places, 'int32');
  const end = of ? of.at(b, 0) : number(length);
  const shift = of ? end.sub(of.at(b, 1)) : number(length - queries);
  const position = shift.add(row);
  // Padding has the position of the last token.
  const q = of ? position.min(end.sub(1)) : position;
  const token = ring ? key.add(end.sub(1).sub(key).div(ring.size).max(0).mul(ring.size)) : key;
  const k = ring ? select(key.less(ring.sinks), key, token) : key;
  return atPositions(scoring, { q, k, shift, held: key.less(end) });
}

/** A number that is a parameter of a program, not a part of it. */
const number = (value: number): IntExpression => new IntExpression(IntExpression.nodeOf(value));
