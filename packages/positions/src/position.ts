import { type ForwardContext, InputError, ShapeError } from '@headwise/core';
import type { RotaryTables, ScoreMod } from '@headwise/kernels';
import type { RowTerm } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';

/** A position encoding that changes the embeddings before the first block. */
export interface InputPosition {
  /**
   * @param x `[B, T, D]`, the tokens that follow those in `ctx.cache`
   * @returns `[B, T, D]`
   */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor;
}

/** The positions of the new tokens among all tokens, and the scale of scores. */
export interface Span {
  /** The position of the first new token; of the longest sequence, where they differ. */
  start: number;
  /** The position of the first new token of each sequence, where a cache holds sequences of different lengths. */
  starts?: readonly number[] | undefined;
  /** The new tokens of each sequence that are not padding, which stands at the end; default all. */
  lengths?: readonly number[] | undefined;
  /** `[B, T]`, int32: the position of each new token, where it is not its place. */
  positions?: tf.Tensor | undefined;
  /** `[B, T]`, int32: the document of each new token, where several are packed into a row. */
  documents?: tf.Tensor | undefined;
  /** `Tk`, the number of keys that are attended to, the cached ones included. */
  keys: number;
  /** Of the scores, for terms that are products too; default `1 / √Dh`. */
  scale?: number | undefined;
  /** The context of the pass, for an encoding with layers of its own. */
  ctx?: ForwardContext | undefined;
}

/** Queries and keys after the position encoding, and what it adds to scores. */
export interface Placed {
  /** `[B, H, Tq, Dh]` */
  q: tf.Tensor;
  /** `[B, Hkv, T, Dh]`, the new keys; these are what a cache keeps. */
  k: tf.Tensor;
  /** Score modifications to apply. */
  mods?: readonly ScoreMod[] | undefined;
  /** A score term that is computed for a few queries at a time. */
  term?: RowTerm | undefined;
}

/** What a position encoding asks of attention, where it reads neither queries nor keys. */
export interface Placement extends Pick<Placed, 'mods' | 'term'> {
  /** Turns both, where they lie or as they are loaded. */
  turn?: RotaryTables | undefined;
}

/** A position encoding inside attention: it changes queries and keys, or adds to their scores. */
export interface AttentionPosition {
  /** Names it in errors. */
  readonly name: string;
  /** Whether the encoding needs dot-product scores: it then refuses additive ones. */
  readonly needsProduct: boolean;
  /**
   * @param q `[B, H, Tq, Dh]`, of the new tokens
   * @param k `[B, Hkv, T, Dh]`, of the new tokens
   */
  apply(q: tf.Tensor, k: tf.Tensor, at: Span): Placed;
  /**
   * The same for an encoding that needs only their shapes: attention then reads both where the projection wrote them, without
   * a copy. Called where the new keys are those of the queries' tokens.
   *
   * @param q the shape `[B, H, T, Dh]`
   * @param k the shape `[B, Hkv, T, Dh]`
   */
  place?(q: readonly number[], k: readonly number[], at: Span): Placement;
}

/** No position encoding: attention is permutation-equivariant, except for its mask. */
export const noPosition: AttentionPosition = {
  name: 'no position',
  needsProduct: false,
  apply: (q, k) => ({ q, k }),
  place: () => ({}),
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
