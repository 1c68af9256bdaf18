import type { Encoded, ForwardContext, Layer } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { CrossBlock } from './cross-block.js';
import { checkStack, throughBlock } from './stack.js';

export interface CrossDecoderParts {
  /** Applied in order, each with what the encoder gave. */
  blocks: readonly CrossBlock[];
  /** The last norm, of pre-norm models. */
  norm?: Layer | undefined;
}

/** The decoder of an encoder-decoder: `norm(block_L(… block_1(x, e) …, e))`. */
export class CrossDecoder implements CrossBlock {
  readonly #parts: CrossDecoderParts;

  /** @throws InputError naming a part that is not a layer */
  constructor(parts: CrossDecoderParts) {
    checkStack('CrossDecoder', parts);
    this.#parts = parts;
  }

  /** @param x `[B, Tq, D]` @param encoded of `[B, Tk, D]` @returns `[B, Tq, D]` */
  forward(x: tf.Tensor, encoded: Encoded, ctx?: ForwardContext): tf.Tensor {
    const { blocks, norm } = this.#parts;
    return tf.tidy(() => {
      const y = blocks.reduce(
        (h, block) => throughBlock((again) => block.forward(h, encoded, again), ctx),
        x,
      );
      return norm ? norm.forward(y, ctx) : y;
    });
  }
}
