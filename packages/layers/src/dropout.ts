import { type ForwardContext, InputError, type Layer } from '@headwise/core';
import { dropout } from '@headwise/kernels';
import type * as tf from '@tensorflow/tfjs';

/**
 * Sets each value to zero with probability `rate` in training, and scales the rest by 1 / (1 − rate).
 *
 * The seed of the mask is drawn from the context's generator, so that a resumed run drops what it
 * would have dropped, on any backend; it has no parameters.
 *
 * @see Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 */
export class Dropout implements Layer {
  readonly #rate: number;

  /** @throws InputError unless `0 ≤ rate < 1` */
  constructor({ rate }: { rate: number }) {
    if (!(rate >= 0 && rate < 1)) {
      throw new InputError(`Dropout: rate is ${rate}; expected 0 ≤ rate < 1`);
    }
    this.#rate = rate;
  }

  /**
   * What to drop in this pass, for an operation that drops within itself; undefined: nothing.
   *
   * @throws InputError in training without `ctx.random`
   */
  draw(ctx?: ForwardContext): { rate: number; seed: number } | undefined {
    if (this.#rate === 0 || !ctx?.training) return undefined;
    if (!ctx.random) throw new InputError('Dropout: training needs a generator in ctx.random');
    return { rate: this.#rate, seed: ctx.random.nextUint32() };
  }

  /**
   * @param x any shape
   * @throws InputError in training without `ctx.random`
   */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const drawn = this.draw(ctx);
    return drawn ? dropout(x, drawn.rate, drawn.seed) : x;
  }
}
