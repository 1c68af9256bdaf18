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

/** Throws unless positions `start` to `start + count` lie within `maxLength`. */
export function checkPositions(start: number, count: number, maxLength: number): void {
  if (start + count <= maxLength) return;
  throw new ShapeError(
    `a sequence of ${start + count} tokens is longer than the model's maxLength of ${maxLength}`,
  );
}
