import { InputError } from '@headwise/core';
import { type ScoreMod, scoreMod, scoreTable } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import { positionsInDocuments } from './documents.js';
import {
  type AttentionPosition,
  type Placed,
  type Placement,
  refusePositions,
  type Span,
} from './position.js';

/** A table has a slope for each head. */
const maxHeads = 2 ** 16;

export interface AlibiPositionOptions {
  /** `H`, any number. */
  heads: number;
  /** What slopes are multiplied by; default 1, Falcon's `1 / √Dh`. */
  factor?: number | undefined;
  /**
   * The type that slopes, key positions and their products are rounded to, as in transformers' Falcon; default
   * none. Positions are then counted from the first key, so that padding before it changes the roundings.
   */
  rounding?: 'bfloat16' | undefined;
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

/** Rows of a table that are made at once. */
const step = 256;

/** Rounds to the nearest bfloat16, ties to even. */
function toBfloat16(values: Float32Array): Float32Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  return new Float32Array(
    bits.map((word) => (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000).buffer,
  );
}

/**
 * `m_h j` of key positions j; slopes, positions and products are rounded to bfloat16.
 *
 * @returns row-major `[keys, H]`
 */
export function roundedBiases(heads: number, keys: number): Float32Array {
  const slopes = toBfloat16(alibiSlopes(heads));
  const positions = toBfloat16(Float32Array.from({ length: keys }, (_, j) => j));
  return toBfloat16(
    Float32Array.from(
      { length: keys * heads },
      (_, i) => slopes[i % heads]! * positions[Math.floor(i / heads)]!,
    ),
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
  readonly #factor: number;
  readonly #rounding: 'bfloat16' | undefined;

  /** @throws InputError unless `heads` is a positive integer of at most 65,536 */
  constructor({ heads, factor = 1, rounding }: AlibiPositionOptions) {
    if (!(Number.isInteger(heads) && heads > 0 && heads <= maxHeads)) {
      throw new InputError(
        `alibi: heads is ${heads}; expected a positive integer of at most ${maxHeads}`,
      );
    }
    this.#slopes = alibiSlopes(heads).map((slope) => factor * slope);
    this.#factor = factor;
    this.#rounding = rounding;
  }

  /** @throws InputError where q has another number of heads */
  apply(q: tf.Tensor, k: tf.Tensor, at: Span): Placed {
    return { q, k, ...this.place(q.shape, k.shape, at) };
  }

  /** @throws InputError where q has another number of heads */
  place([, heads]: readonly number[], _k: readonly number[], at: Span): Placement {
    refusePositions(this.name, at);
    if (heads !== this.#slopes.length) {
      throw new InputError(
        `alibi: q has ${heads} heads; expected ${this.#slopes.length}, one a slope`,
      );
    }
    const mod = this.#rounding ? this.#keyBias(at) : distanceBias(tf.tensor1d(this.#slopes));
    return { mods: [mod] };
  }

  /** Equal up to a constant per query, which softmax cancels. */
  #keyBias({ keys, documents }: Span): ScoreMod {
    const heads = this.#slopes.length;
    const rows = Math.ceil(keys / step) * step;
    const values = roundedBiases(heads, rows).map((bias) => this.#factor * bias);
    const biases = scoreTable(tf.tensor2d(values, [rows, heads]));
    if (!documents) return scoreMod((score, _b, h, _q, k) => score.add(biases.at(k, h)));
    const positions = scoreTable(positionsInDocuments(documents), 'int32');
    return scoreMod((score, b, h, _q, k) => score.add(biases.at(positions.at(b, k), h)));
  }
}

const distanceBias = (slopes: tf.Tensor1D): ScoreMod =>
  scoreMod((score, _b, h, q, k) =>
    score.sub(scoreTable(slopes).at(h).mul(q.sub(k).abs().toFloat())),
  );
