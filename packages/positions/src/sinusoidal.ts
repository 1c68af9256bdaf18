import { type ForwardContext, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { PositionTableOptions } from './learned.js';
import { placesOf } from './places.js';
import type { InputPosition } from './position.js';

/** How sines and cosines lie in a row: the paper's `interleaved`, or all sines in the first of two `halves`. */
export type SinusoidalLayout = 'interleaved' | 'halves';

export interface SinusoidalPositionOptions extends PositionTableOptions {
  /** Default `interleaved`. */
  layout?: SinusoidalLayout;
}

/**
 * The sinusoidal table of absolute positions, row-major `[length, dim]`.
 *
 * `P[t, 2i] = sin(t / 10000^(2i/D))`, `P[t, 2i+1] = cos(t / 10000^(2i/D))`; in halves, i and `D/2 + i`
 * stand for `2i` and `2i + 1`.
 *
 * @throws InputError where `dim` is odd
 * @see Vaswani et al. 2017, §3.5, https://arxiv.org/abs/1706.03762
 */
export function sinusoidalTable(
  length: number,
  dim: number,
  layout: SinusoidalLayout = 'interleaved',
): Float32Array {
  if (dim % 2 !== 0) throw new InputError(`sinusoidal positions need an even dim; got ${dim}`);
  const table = new Float32Array(length * dim);
  const [step, cosines] = layout === 'interleaved' ? [2, 1] : [1, dim / 2];
  for (let t = 0; t < length; t++) {
    for (let i = 0; i < dim / 2; i++) {
      const angle = t / 10_000 ** ((2 * i) / dim);
      table[t * dim + step * i] = Math.sin(angle);
      table[t * dim + step * i + cosines] = Math.cos(angle);
    }
  }
  return table;
}

/**
 * Adds the sinusoidal vector of each absolute position to the token embeddings: `x_t + P_t`.
 *
 * It has no parameters.
 *
 * @see Vaswani et al. 2017, §3.5, https://arxiv.org/abs/1706.03762
 */
export class SinusoidalPosition implements InputPosition {
  readonly #table: Float32Array;
  readonly #maxLength: number;
  readonly #dim: number;

  constructor({ maxLength, dim, layout }: SinusoidalPositionOptions) {
    this.#table = sinusoidalTable(maxLength, dim, layout);
    this.#maxLength = maxLength;
    this.#dim = dim;
  }

  /** @throws ShapeError where a position is beyond `maxLength` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const [dim, count] = [this.#dim, x.shape[1]!];
    const places = placesOf(x, ctx, this.#maxLength);
    const row = (position: number) => this.#table.subarray(position * dim, (position + 1) * dim);
    return tf.tidy(() => {
      if (typeof places === 'number') {
        const rows = this.#table.subarray(places * dim, (places + count) * dim);
        return x.add(tf.tensor2d(rows, [count, dim]));
      }
      const rows = new Float32Array(places.length * dim);
      for (const [i, position] of places.entries()) rows.set(row(position), i * dim);
      return x.add(tf.tensor3d(rows, [places.length / count, count, dim]));
    });
  }
}
