import {
  type ForwardContext,
  type Initializer,
  initializers,
  type ParamStore,
} from '@headwise/core';
import type { AdaptableParam } from '@headwise/core/internal';
import { gatherRows } from '@headwise/kernels';
import { addRows } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { givenPositions, placesOf } from './places.js';
import type { InputPosition } from './position.js';

export interface PositionTableOptions {
  /** The number of positions. */
  maxLength: number;
  /** `D`, the model width. */
  dim: number;
}

export interface LearnedPositionOptions extends PositionTableOptions {
  /** How many rows of the table come before the first position's, as in BART; default 0. */
  offset?: number | undefined;
  /** How the rows start; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
}

/**
 * A learned vector for each absolute position, added to the token embeddings: `x_t + P_t`.
 *
 * Parameters: `weight` `[offset + maxLength, dim]`.
 *
 * @see Gehring et al. 2017, https://arxiv.org/abs/1705.03122; Radford et al. 2019 (GPT-2)
 */
export class LearnedPosition implements InputPosition {
  readonly #weight: AdaptableParam<tf.Tensor2D>;
  readonly #maxLength: number;
  readonly #offset: number;

  constructor(params: ParamStore, options: LearnedPositionOptions) {
    const { maxLength, dim, offset = 0, init = initializers.normal(0.02) } = options;
    this.#maxLength = maxLength;
    this.#offset = offset;
    this.#weight = params.adaptable('weight', [offset + maxLength, dim], init);
  }

  /** @throws ShapeError where a place is beyond `maxLength`, InputError where a position of `ctx.positions` is */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const given = givenPositions(x, ctx, this.#maxLength);
      const weight = this.#weight(ctx);
      if (given) {
        const rows = given.add(tf.scalar(this.#offset, 'int32'));
        return x.add(gatherRows(weight, rows, 'trusted'));
      }
      const places = placesOf(x, ctx, this.#maxLength);
      if (typeof places === 'number') return addRows(x, weight, this.#offset + places);
      const ids = tf.tensor1d(places, 'int32').add(tf.scalar(this.#offset, 'int32'));
      return x.add(gatherRows(weight, ids, 'trusted').reshape(x.shape));
    });
  }
}
