import { type ForwardContext, InputError, ShapeError } from '@headwise/core';
import type { RotaryTables, RowTerm, ScoreMod } from '@headwise/kernels';
import type * as tf from '@tensorflow/tfjs';

/** A position encoding that changes the embeddings before the first block. */
export interface InputPosition {
  /**
   * @param x `[B, T, D]`, the tokens that follow those in `ctx.cache`
   * @returns `[B, T, D]`
   */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor;
}

/** Where the new tokens stand among all, and what their products are multiplied by. */
export interface Span {
  /** The position of the first new token; of the longest sequence, where they differ. */
  start: number;
  /** The same of each sequence, where a cache holds sequences of different lengths. */
  starts?: readonly number[] | undefined;
  /** `[B, T]`, int32: the position of each new token, where it is not its place. */
  positions?: tf.Tensor | undefined;
  /** `Tk`, the number of keys that are attended to, the cached ones included. */
  keys: number;
  /** Of the scores, for terms that are products too; default `1 / √Dh`. */
  scale?: number | undefined;
  /** Attention turns queries and keys itself where it is given `turn`: by tables in place of turned tensors. */
  turnsAsLoaded?: boolean | undefined;
}

/** Queries and keys that know their positions. */
export interface Placed {
  /** `[B, H, Tq, Dh]` */
  q: tf.Tensor;
  /** `[B, Hkv, T, Dh]`, the new keys; these are what a cache keeps. */
  k: tf.Tensor;
  /** What both are still to be turned by; only where `turnsAsLoaded` was asked for. */
  turn?: RotaryTables;
  /** What to do to the scores. */
  mods?: readonly ScoreMod[];
  /** What is made for a few queries at a time. */
  term?: RowTerm;
}

/** A position encoding inside attention: it changes queries and keys, or adds to their scores. */
export interface AttentionPosition {
  /** Names it in errors. */
  readonly name: string;
  /** It works on products of queries and keys, so that a score that is no product cannot use it. */
  readonly needsProduct: boolean;
  /**
   * @param q `[B, H, Tq, Dh]`, of the new tokens
   * @param k `[B, Hkv, T, Dh]`, of the new tokens
   */
  apply(q: tf.Tensor, k: tf.Tensor, at: Span): Placed;
}

/** No positions: attention does not know the order of its keys, but for its mask. */
export const noPosition: AttentionPosition = {
  name: 'no position',
  needsProduct: false,
  apply: (q, k) => ({ q, k }),
};

/** Throws unless positions `start` to `start + count` lie within `maxLength`. */
export function checkPositions(start: number, count: number, maxLength: number): void {
  if (start + count <= maxLength) return;
  throw new ShapeError(
    `a sequence of ${start + count} tokens is longer than the model's maxLength of ${maxLength}`,
  );
}

/**
 * Throws if the context has `positions`, which a relative encoding cannot use.
 *
 * @throws InputError naming the encoding
 */
export function refusePositions(name: string, { positions }: Pick<Span, 'positions'>): void {
  if (!positions) return;
  throw new InputError(
    `${name}: encodes distances of places, which ctx.positions does not change; got positions of shape [${positions.shape.join(', ')}]`,
  );
}
