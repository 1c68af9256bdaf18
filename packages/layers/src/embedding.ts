import {
  type ForwardContext,
  type Initializer,
  type Layer,
  normal,
  type ParamStore,
} from '@headwise/core';
import { gatherRows, linear } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

export interface EmbeddingOptions {
  /** `V`, the number of rows. */
  count: number;
  /** `D`, the width of a row. */
  dim: number;
  /** The id of padding, whose row learns nothing from being looked up. */
  padId?: number | undefined;
  /** How the rows start; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
}

/**
 * A table of learned rows, looked up by number.
 *
 * Parameters: `weight` `[count, dim]`.
 */
export class Embedding implements Layer {
  readonly #weight: tf.Tensor2D;
  readonly #padId: number | undefined;

  constructor(params: ParamStore, options: EmbeddingOptions) {
    const { count, dim, padId, init = normal(0.02) } = options;
    this.#weight = params.get('weight', [count, dim], init) as unknown as tf.Tensor2D;
    this.#padId = padId;
  }

  /** @param ids `[...]`, int32, each in [0, count) @returns `[..., D]` */
  forward(ids: tf.Tensor, _ctx?: ForwardContext): tf.Tensor {
    const padId = this.#padId;
    if (padId === undefined) return gatherRows(this.#weight, ids);
    return tf.tidy(() => {
      const learns = ids.notEqual(padId).expandDims(-1).toFloat(); // [..., 1]
      return gradientTimes(gatherRows(this.#weight, ids), learns);
    });
  }

  /**
   * The scores of every row, `x Eᵀ + b`: an output head that is tied to this table. `[..., D] → [..., V]`
   *
   * @param bias `[V]`
   */
  scores(x: tf.Tensor, bias?: tf.Tensor1D): tf.Tensor {
    return linear(x, this.#weight, bias, 'out-in');
  }
}

/** x, whose gradient is multiplied by a mask. */
const gradientTimes = (x: tf.Tensor, mask: tf.Tensor): tf.Tensor =>
  tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([mask]);
    return {
      value: (x as tf.Tensor).clone(),
      gradFunc: (dy: tf.Tensor, [mask]: tf.Tensor[]) => dy.mul(mask!),
    };
  })(x);
