import { type ForwardContext, ShapeError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';

/** A position encoding that changes the embeddings before the first block. */
export interface InputPosition {
  /**
   * @param x `[B, T, D]`, the tokens that follow those in `ctx.cache`
   * @returns `[B, T, D]`
   */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor;
}

/** Where the new tokens stand among all. */
export interface Span {
  /** The position of the first new token. */
  start: number;
  /** `Tk`, the number of keys that are attended to, the cached ones included. */
  keys: number;
}

/** Queries and keys that know their positions. */
export interface Placed {
  /** `[B, H, Tq, Dh]` */
  q: tf.Tensor;
  /** `[B, Hkv, T, Dh]`, the new keys; these are what a cache keeps. */
  k: tf.Tensor;
}

/** A position encoding inside attention: it changes queries and keys, or adds to their scores. */
export interface AttentionPosition {
  /**
   * @param q `[B, H, Tq, Dh]`, of the new tokens
   * @param k `[B, Hkv, T, Dh]`, of the new tokens
   */
  apply(q: tf.Tensor, k: tf.Tensor, at: Span): Placed;
}

/** Throws unless positions `start` to `start + count` lie within `maxLength`. */
export function checkPositions(start: number, count: number, maxLength: number): void {
  if (start + count <= maxLength) return;
  throw new ShapeError(
    `a sequence of ${start + count} tokens is longer than the model's maxLength of ${maxLength}`,
  );
}
