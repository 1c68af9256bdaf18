import type { ForwardContext, Layer } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';

export interface EncoderParts {
  /** Applied in order; each maps `[B, T, D]` to `[B, T, D]`. */
  blocks: readonly Layer[];
  /** The last norm, of pre-norm models. */
  norm?: Layer | undefined;
}

/** A stack of blocks whose tokens see all others, and a last norm: `norm(block_L(… block_1(x)))`. */
export class Encoder implements Layer {
  readonly #parts: EncoderParts;

  constructor(parts: EncoderParts) {
    this.#parts = parts;
  }

  /** @param x `[B, T, D]` @returns `[B, T, D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { blocks, norm } = this.#parts;
    return tf.tidy(() => {
      const y = blocks.reduce((h, block) => block.forward(h, ctx), x);
      return norm ? norm.forward(y, ctx) : y;
    });
  }
}
