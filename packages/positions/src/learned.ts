import { type ForwardContext, normal, type ParamStore } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkPositions, type InputPosition } from './position.js';

export interface PositionTableOptions {
  /** The number of positions. */
  maxLength: number;
  /** `D`, the model width. */
  dim: number;
}

/**
 * A learned vector for each absolute position, added to the token embeddings: `x_t + P_t`.
 *
 * Parameters: `weight` `[maxLength, dim]`.
 *
 * @see Gehring et al. 2017, https://arxiv.org/abs/1705.03122; Radford et al. 2019 (GPT-2)
 */
export class LearnedPosition implements InputPosition {
  readonly #weight: tf.Tensor;
  readonly #maxLength: number;

  constructor(params: ParamStore, { maxLength, dim }: PositionTableOptions) {
    this.#maxLength = maxLength;
    this.#weight = params.get('weight', [maxLength, dim], normal(0.02));
  }

  /** @throws ShapeError where a position is beyond `maxLength` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const start = ctx?.cache?.length ?? 0;
    const [, count, dim] = x.shape as [number, number, number];
    checkPositions(start, count, this.#maxLength);
    return tf.tidy(() => x.add(this.#weight.slice([start, 0], [count, dim])));
  }
}
