import { checkLayer, type ForwardContext, type Layer } from '@headwise/core';
import { checkpointed, refuse } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';

/** Blocks one after the other. */
export interface StackParts {
  /** Applied in order; each maps `[B, T, D]` to `[B, T, D]`. */
  blocks: readonly Layer[];
  /** The last norm, of pre-norm models. */
  norm?: Layer | undefined;
}

/** Throws unless blocks are a list of layers, and the last norm is one. */
export function checkStack(
  name: string,
  { blocks, norm }: { blocks: unknown; norm?: unknown },
): void {
  if (!Array.isArray(blocks)) refuse(`${name}: blocks`, blocks, 'a list of blocks');
  for (const [i, block] of blocks.entries()) checkLayer(`${name}: blocks[${i}]`, block);
  if (norm !== undefined) checkLayer(`${name}: norm`, norm);
}

/** `norm(block_L(… block_1(x)))`. @param x `[B, T, D]` @returns `[B, T, D]` */
export function throughStack(
  { blocks, norm }: StackParts,
  x: tf.Tensor,
  ctx?: ForwardContext,
): tf.Tensor {
  return tf.tidy(() => {
    const y = blocks.reduce((h, block) => throughBlock((again) => block.forward(h, again), ctx), x);
    return norm ? norm.forward(y, ctx) : y;
  });
}

/** One block, whose activations are kept for the backward pass unless the context checkpoints. */
export const throughBlock = (
  forward: (ctx: ForwardContext | undefined) => tf.Tensor,
  ctx: ForwardContext | undefined,
): tf.Tensor => (ctx?.checkpoint ? checkpointed(forward, ctx) : forward(ctx));
