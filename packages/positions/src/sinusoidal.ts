import { type ForwardContext, InputError } from '@headwise/core';
import { gatherRows } from '@headwise/kernels';
import { knownValues } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import type { PositionTableOptions } from './learned.js';
import { givenPositions, placesOf } from './places.js';
import type { InputPosition } from './position.js';

/** How sines and cosines lie in a row: the paper's `interleaved`, or all sines in the first of two `halves`. */
export type SinusoidalLayout = 'interleaved' | 'halves';

/** Which sines and cosines a row has, and in what order. */
export interface SinusoidalRows {
  /** Default `interleaved`. */
  layout?: SinusoidalLayout | undefined;
  /** Whether frequencies reach 1/10,000 itself, as in tensor2tensor: `10000^(−i/(D/2 − 1))`; default false. */
  inclusive?: boolean | undefined;
}

export interface SinusoidalPositionOptions extends PositionTableOptions, SinusoidalRows {}

/** Rows that a table has at least. */
const step = 128;

function checkDim(dim: number, { inclusive = false }: SinusoidalRows): void {
  if (dim % 2 !== 0) throw new InputError(`sinusoidal positions need an even dim; got ${dim}`);
  if (inclusive && dim < 4) {
    throw new InputError(`sinusoidal positions of several frequencies need a dim of 4; got ${dim}`);
  }
}

/**
 * The sinusoidal table of absolute positions, row-major `[length, dim]`.
 *
 * `P[t, 2i] = sin(t / 10000^(2i/D))`, `P[t, 2i+1] = cos(t / 10000^(2i/D))`; in halves, i and `D/2 + i`
 * stand for `2i` and `2i + 1`; inclusive, the exponent is `i / (D/2 − 1)`.
 *
 * @throws InputError where `dim` is odd, or has one frequency that should be several
 * @see Vaswani et al. 2017, §3.5, https://arxiv.org/abs/1706.03762
 */
export function sinusoidalTable(
  length: number,
  dim: number,
  rows: SinusoidalRows = {},
): Float32Array {
  checkDim(dim, rows);
  const { layout = 'interleaved', inclusive = false } = rows;
  const table = new Float32Array(length * dim);
  const [step, cosines] = layout === 'interleaved' ? [2, 1] : [1, dim / 2];
  const spread = dim / 2 - (inclusive ? 1 : 0);
  for (let t = 0; t < length; t++) {
    for (let i = 0; i < dim / 2; i++) {
      const angle = t / 10_000 ** (i / spread);
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
  readonly #options: SinusoidalPositionOptions;
  /** Rows from the first position to the last one used so far, rounded up. */
  #table: Float32Array = new Float32Array();

  /** @throws InputError where `dim` is odd */
  constructor(options: SinusoidalPositionOptions) {
    checkDim(options.dim, options);
    this.#options = options;
  }

  /** @throws ShapeError where a place is beyond `maxLength`, InputError where a position of `ctx.positions` is */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { dim, maxLength } = this.#options;
    const count = x.shape[1]!;
    return tf.tidy(() => {
      const given = givenPositions(x, ctx, maxLength);
      if (given) {
        const known = knownValues(given);
        const end = known
          ? Array.from(known).reduce((most, t) => Math.max(most, t + 1), 1)
          : maxLength;
        const table = tf.tensor2d(this.#rows(end).subarray(0, end * dim), [end, dim]);
        return x.add(gatherRows(table, given, 'trusted'));
      }
      const places = placesOf(x, ctx, maxLength);
      if (typeof places === 'number') {
        const table = this.#rows(places + count);
        const rows = table.subarray(places * dim, (places + count) * dim);
        return x.add(tf.tensor2d(rows, [count, dim]));
      }
      const end = places.reduce((most, place) => Math.max(most, place + 1), 0);
      const table = this.#rows(end);
      const rows = new Float32Array(places.length * dim);
      for (const [i, position] of places.entries()) {
        rows.set(table.subarray(position * dim, (position + 1) * dim), i * dim);
      }
      return x.add(tf.tensor3d(rows, [places.length / count, count, dim]));
    });
  }

  /** The table of encodings for at least this many positions; grows to twice the length when it is too short. */
  #rows(end: number): Float32Array {
    const { dim, maxLength } = this.#options;
    if (end * dim > this.#table.length) {
      const length = Math.min(maxLength, Math.max(step, 2 * end));
      this.#table = sinusoidalTable(length, dim, this.#options);
    }
    return this.#table;
  }
}
