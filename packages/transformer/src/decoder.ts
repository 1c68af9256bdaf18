import type { ForwardContext, Layer } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { checkStack, type StackParts, throughStack } from './stack.js';

export type DecoderParts = StackParts;

/** A stack of blocks and a final norm: `norm(block_L(… block_1(x)))`. */
export class Decoder implements Layer {
  readonly #parts: DecoderParts;

  /** @throws InputError naming a part that is not a layer */
  constructor(parts: DecoderParts) {
    checkStack('Decoder', parts);
    this.#parts = parts;
  }

  /** @param x `[B, T, D]` @returns `[B, T, D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return throughStack(this.#parts, x, ctx);
  }
}
