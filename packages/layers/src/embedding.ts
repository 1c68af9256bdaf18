import {
  type ForwardContext,
  type Initializer,
  type Layer,
  normal,
  type ParamStore,
} from '@headwise/core';
import { gatherRows, linear } from '@headwise/kernels';
import type * as tf from '@tensorflow/tfjs';

export interface EmbeddingOptions {
  /** `V`, the number of rows. */
  count: number;
  /** `D`, the width of a row. */
  dim: number;
  /** How the rows start; default normal with standard deviation 0.02. */
  init?: Initializer;
}

/**
 * A table of learned rows, looked up by number.
 *
 * Parameters: `weight` `[count, dim]`.
 */
export class Embedding implements Layer {
  readonly #weight: tf.Tensor2D;

  constructor(params: ParamStore, { count, dim, init = normal(0.02) }: EmbeddingOptions) {
    this.#weight = params.get('weight', [count, dim], init) as unknown as tf.Tensor2D;
  }

  /** @param ids `[...]`, int32, each in [0, count) @returns `[..., D]` */
  forward(ids: tf.Tensor, _ctx?: ForwardContext): tf.Tensor {
    return gatherRows(this.#weight, ids);
  }

  /** The scores of every row, `x Eᵀ`: an output head that is tied to this table. `[..., D] → [..., V]` */
  scores(x: tf.Tensor): tf.Tensor {
    return linear(x, this.#weight, undefined, 'out-in');
  }
}
