import type { EncoderContext, ParamStore } from '@headwise/core';
import { gatherRows } from '@headwise/kernels';
import { Embedding } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import type { LearnedPositionOptions } from './learned.js';
import { givenPositions, positionsAfterPadding } from './places.js';
import { checkPositions } from './position.js';
import { type SinusoidalPositionOptions, sinusoidalTable } from './sinusoidal.js';

/** Sizes of the table, and the id of padding. */
export interface CountedPositionOptions extends Omit<LearnedPositionOptions, 'offset'> {
  padId: number;
}

/**
 * Learned positions of the tokens that are not padding, counted from the padding's id: `x_t + P[padId + t + 1]`.
 *
 * Parameters: `weight` `[padId + 1 + maxLength, D]`; row `padId` is padding's and gets no gradient.
 *
 * @see Liu et al. 2019, https://arxiv.org/abs/1907.11692
 */
export class CountedPosition {
  readonly #table: Embedding;
  readonly #padId: number;
  readonly #maxLength: number;

  constructor(params: ParamStore, { maxLength, dim, padId, init }: CountedPositionOptions) {
    const count = maxLength + padId + 1;
    this.#table = new Embedding(params, { name: 'position', count, dim, padId, init });
    this.#padId = padId;
    this.#maxLength = maxLength;
  }

  /**
   * @param x `[B, T, D]`, embeddings @param ids `[B, T]`, their tokens @returns `[B, T, D]`
   * @throws ShapeError where the sequence is longer than `maxLength`
   */
  forward(x: tf.Tensor, ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor {
    return tf.tidy(() => {
      const given = givenPositions(x, ctx, this.#maxLength);
      if (!given) checkPositions(0, ids.shape[1]!, this.#maxLength);
      const rows = given?.add(tf.scalar(this.#padId + 1, 'int32'));
      return x.add(this.#table.forward(rows ?? positionsAfterPadding(ids, this.#padId), ctx));
    });
  }
}

/**
 * Sinusoidal positions of the tokens that are not padding, counted from the padding's id: `x_t + P[padId + t + 1]`;
 * nothing is added to padding. Tokens in a cache count, padding among them.
 *
 * It has no parameters.
 *
 * @see Fan et al. 2021, https://arxiv.org/abs/2010.11125
 */
export class CountedSinusoidalPosition {
  readonly #options: SinusoidalPositionOptions & { padId: number };
  /** From row 0 to the last one used so far, rounded up. */
  #table: Float32Array = new Float32Array();

  constructor(options: SinusoidalPositionOptions & { padId: number }) {
    this.#options = options;
  }

  /**
   * @param x `[B, T, D]`, embeddings @param ids `[B, T]`, their tokens @returns `[B, T, D]`
   * @throws ShapeError where the sequence is longer than `maxLength`
   */
  forward(x: tf.Tensor, ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor {
    const { padId, maxLength } = this.#options;
    const [batch, count] = ids.shape as [number, number];
    return tf.tidy(() => {
      const given = givenPositions(x, ctx, maxLength);
      if (given) {
        return x.add(gatherRows(this.#rows(maxLength), given.add(padId + 1).toInt(), 'trusted'));
      }
      const starts = Array.from({ length: batch }, (_, b) => startOf(ctx, b));
      for (const [b, start] of starts.entries()) {
        checkPositions(start, ctx?.lengths?.[b] ?? count, maxLength);
      }
      const counted = positionsAfterPadding(ids, padId);
      const last = Math.max(...starts);
      if (last === 0) return x.add(gatherRows(this.#rows(count), counted, 'trusted'));
      const tokens = ids.notEqual(padId).toInt();
      const before = tokens.mul(tf.tensor2d(starts, [batch, 1], 'int32'));
      return x.add(gatherRows(this.#rows(last + count), counted.add(before), 'trusted'));
    });
  }

  /** The vectors of this many positions at least, behind a row of zeros for padding. */
  #rows(end: number): tf.Tensor2D {
    const { dim, padId } = this.#options;
    const rows = padId + 1 + end;
    if (rows * dim > this.#table.length) {
      this.#table = sinusoidalTable(Math.max(step, 2 * rows), dim, this.#options);
      this.#table.fill(0, padId * dim, (padId + 1) * dim);
    }
    return tf.tensor2d(this.#table.subarray(0, rows * dim), [rows, dim]);
  }
}

/** Rows that a table has at least. */
const step = 128;

/** The tokens of a sequence that its cache holds. */
const startOf = (ctx: EncoderContext | undefined, sequence: number): number => {
  const starts = ctx?.cache?.starts ?? [];
  return starts[sequence] ?? starts[0] ?? 0;
};
