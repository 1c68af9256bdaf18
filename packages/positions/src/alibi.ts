import { InputError } from '@headwise/core';
import { type ScoreMod, scoreMod, table } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import { type AttentionPosition, type Placed, refusePositions, type Span } from './position.js';

/** A table has a slope for each head. */
const maxHeads = 2 ** 16;

export interface AlibiPositionOptions {
  /** `H`, any number. */
  heads: number;
  /** What slopes are multiplied by; default 1, Falcon's `1 / √Dh`. */
  factor?: number | undefined;
}

/**
 * The slope of each head: `2^(−8 i / H)` for heads `i = 1 … H`, where H is a power of two; else the slopes of
 * the power below, and then every second one of the power above.
 */
export function alibiSlopes(heads: number): Float32Array {
  const power = 2 ** Math.floor(Math.log2(heads));
  return Float32Array.from({ length: heads }, (_, head) =>
    head < power
      ? 2 ** ((-8 * (head + 1)) / power)
      : 2 ** ((-4 * (2 * (head - power) + 1)) / power),
  );
}

/**
 * Attention with linear biases: each head takes a slope times the distance from its scores,
 * `s_ij − m_h |i − j|`. It has no parameters.
 *
 * @see Press, Smith and Lewis 2022, https://arxiv.org/abs/2108.12409
 */
export class AlibiPosition implements AttentionPosition {
  readonly name = 'alibi';
  readonly needsProduct = false;
  readonly #slopes: Float32Array;

  /** @throws InputError unless `heads` is a positive integer of at most 65,536 */
  constructor({ heads, factor = 1 }: AlibiPositionOptions) {
    if (!(Number.isInteger(heads) && heads > 0 && heads <= maxHeads)) {
      throw new InputError(
        `alibi: heads is ${heads}; expected a positive integer of at most ${maxHeads}`,
      );
    }
    this.#slopes = alibiSlopes(heads).map((slope) => factor * slope);
  }

  /** @throws InputError where q has another number of heads */
  apply(q: tf.Tensor, k: tf.Tensor, at: Span): Placed {
    refusePositions(this.name, at);
    if (q.shape[1] !== this.#slopes.length) {
      throw new InputError(
        `alibi: q has ${q.shape[1]} heads; expected ${this.#slopes.length}, one a slope`,
      );
    }
    return { q, k, mods: [distanceBias(tf.tensor1d(this.#slopes))] };
  }
}

const distanceBias = (slopes: tf.Tensor1D): ScoreMod =>
  scoreMod((score, _b, h, q, k) => score.sub(table(slopes).at(h).mul(q.sub(k).abs().toFloat())));
