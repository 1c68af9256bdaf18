import type { ForwardContext, Layer } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';

export interface DecoderParts {
  /** Applied in order; each maps `[B, T, D]` to `[B, T, D]`. */
  blocks: readonly Layer[];
  /** The last norm, of pre-norm models. */
  norm?: Layer | undefined;
}

/** A stack of blocks and a last norm: `norm(block_L(… block_1(x)))`. */
export class Decoder implements Layer {
  readonly #parts: DecoderParts;

  constructor(parts: DecoderParts) {
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
