import type { EncoderContext, ParamStore } from '@headwise/core';
import { Embedding } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import type { LearnedPositionOptions } from './learned.js';
import { givenPositions, positionsAfterPadding } from './places.js';
import { checkPositions } from './position.js';

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
