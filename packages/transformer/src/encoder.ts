import type { ForwardContext, Layer } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { checkStack, type StackParts, throughStack } from './stack.js';

export type EncoderParts = StackParts;

/** A stack of bidirectional blocks and a final norm: `norm(block_L(… block_1(x)))`. */
export class Encoder implements Layer {
  readonly #parts: EncoderParts;

  /** @throws InputError naming a part that is not a layer */
  constructor(parts: EncoderParts) {
    checkStack('Encoder', parts);
    this.#parts = parts;
  }

  /** @param x `[B, T, D]` @returns `[B, T, D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return throughStack(this.#parts, x, ctx);
  }
}
