import type { ForwardContext, Layer } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';

/** Blocks one after the other. */
export interface StackParts {
  /** Applied in order; each maps `[B, T, D]` to `[B, T, D]`. */
  blocks: readonly Layer[];
  /** The last norm, of pre-norm models. */
  norm?: Layer | undefined;
}

/** `norm(block_L(… block_1(x)))`. @param x `[B, T, D]` @returns `[B, T, D]` */
export function throughStack(
  { blocks, norm }: StackParts,
  x: tf.Tensor,
  ctx?: ForwardContext,
): tf.Tensor {
  return tf.tidy(() => {
    const y = blocks.reduce((h, block) => block.forward(h, ctx), x);
    return norm ? norm.forward(y, ctx) : y;
  });
}
