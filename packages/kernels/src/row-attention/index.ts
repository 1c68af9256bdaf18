import * as tf from '@tensorflow/tfjs';
import { checkScoring } from '../attention/check-scoring.js';
import { type AttentionOptions, attention } from '../attention/index.js';
import { checkMask, type Mask, none } from '../attention/masks/mask.js';
import { causal } from '../attention/masks/order.js';
import { attentionReference, type ReferenceOptions } from '../attention/reference.js';
import { inChunks } from './chunks.js';
import { Scoring } from './scoring.js';
import type { RowTerm } from './term.js';

export interface RowAttentionOptions
  extends AttentionOptions,
    Pick<ReferenceOptions, 'onScores' | 'onPattern'> {
  /** Queries at a time, default 128; what a term makes for each pair is that many times `Tk` numbers. */
  rows?: number | undefined;
}

/**
 * Attention with a term that is made for a few queries at a time: `softmax(mods(term(Q Kᵀ · scale)) + M) V`.
 *
 * Nothing of size `Tq · Tk` is kept: of each chunk of queries only the output is, and the backward makes
 * the chunk anew. Within a chunk it is `attention`, fused on WebGPU.
 *
 * @param q `[B, H, Tq, Dk]`
 * @param k `[B, Hkv, Tk, Dk]`, where Hkv divides H
 * @param v `[B, Hkv, Tk, Dv]`
 * @returns `[B, H, Tq, Dv]`
 * @throws ShapeError and InputError as `attention` does
 */
export function rowAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  term: RowTerm,
  options: RowAttentionOptions = {},
): tf.Tensor {
  const { mask = none, mods = [], sinks, rows = 128 } = options;
  const [batch, heads, queries] = q.shape as [number, number, number];
  const keys = k.shape[2]!;
  checkScoring('rowAttention', { mask, mods });
  checkMask(mask, { B: batch, H: heads, Tq: queries, Tk: keys });
  const scale = options.scale ?? 1 / Math.sqrt(Math.max(1, q.shape[3]!));
  const looking = options.onScores !== undefined || options.onPattern !== undefined;
  if (queries <= rows || looking) {
    const whole = new Scoring(mask, mods, keys - queries);
    return tf.tidy(() => {
      const tensors = { q, k, v, inputs: term.inputs, tables: whole.tables, sinks };
      return attendRows(tensors, whole, term, { ...options, scale }, keys - queries);
    });
  }
  // The queries of a chunk see no key behind its last one: those need not be given.
  const cut = mask === causal && mods.length === 0;
  const scoring = new Scoring(mask, mods, keys - queries);
  const shared = [k, v, ...(sinks ? [sinks] : []), ...term.inputs, ...scoring.tables];
  const chunk = (first: number, count: number, rowsOf: tf.Tensor, others: readonly tf.Tensor[]) => {
    const place = keys - queries + first;
    const seen = cut ? Math.max(1, place + count) : keys;
    const upTo = (x: tf.Tensor) => (seen === keys ? x : x.slice([0, 0, 0, 0], [-1, -1, seen, -1]));
    const given = others.slice(sinks ? 3 : 2);
    const tensors = {
      q: rowsOf,
      k: upTo(others[0]!),
      v: upTo(others[1]!),
      sinks: sinks && others[2],
      inputs: given.slice(0, term.inputs.length),
      tables: given.slice(term.inputs.length),
    };
    const { dropout } = options;
    // Each chunk draws from a seed of its own.
    const drawn = dropout && { ...dropout, seed: (dropout.seed + first) % Number.MAX_SAFE_INTEGER };
    return attendRows(tensors, scoring, term, { ...options, scale, dropout: drawn }, place);
  };
  return inChunks(chunk, q, shared, rows);
}

/** What the queries of one chunk are about. */
interface Tensors {
  q: tf.Tensor;
  k: tf.Tensor;
  v: tf.Tensor;
  sinks: tf.Tensor | undefined;
  inputs: readonly tf.Tensor[];
  tables: readonly tf.Tensor[];
}

function attendRows(
  { q, k, v, sinks, inputs, tables }: Tensors,
  scoring: Scoring,
  term: RowTerm,
  options: RowAttentionOptions & { scale: number },
  place: number,
): tf.Tensor {
  const rows = { q, k, keys: k.shape[2]!, place };
  const { scale, dropout, onScores, onPattern } = options;
  const shift = k.shape[2]! - q.shape[2]!;
  const own = term.mods?.(rows, inputs) ?? [];
  const { mask, mods } = scoring.at(place - shift, shift, own, tables);
  const given: { mask: Mask; mods: typeof mods; scale: number } = { mask, mods, scale };
  const looking = onScores || onPattern;
  const narrow = (x: tf.Tensor) => (term.replaces ? tf.zeros([...x.shape.slice(0, 3), 1]) : x);
  const [left, right] = [narrow(q), narrow(k)];
  if (!term.values && !looking) return attention(left, right, v, { ...given, sinks, dropout });
  return attentionReference(left, right, v, {
    ...given,
    sinks,
    dropout,
    ...(onScores ? { onScores } : {}),
    ...(onPattern ? { onPattern } : {}),
    values: term.values && ((pattern) => term.values!(pattern, rows, inputs)),
  });
}
