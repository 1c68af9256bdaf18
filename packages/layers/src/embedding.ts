import {
  checkParams,
  type ForwardContext,
  type Initializer,
  initializers,
  type Layer,
  type ParamStore,
} from '@headwise/core';
import type { Matrix } from '@headwise/core/internal';
import { gatherRows, linear, PackedWeight, packedLinear } from '@headwise/kernels';
import { checkIds, type IdSpace, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { formOf } from './packed.js';

export interface EmbeddingOptions {
  /** `V`, the number of rows. */
  count: number;
  /** `D`, the width of a row. */
  dim: number;
  /** The id of padding, whose row learns nothing from being looked up. */
  padId?: number | undefined;
  /** What the rows stand for, in errors; default the `id`s of a vocabulary. */
  name?: string | undefined;
  /** How the rows start; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
}

/**
 * A table of learned rows, looked up by number.
 *
 * Parameters: `weight` `[count, dim]`, which may be packed.
 */
export class Embedding implements Layer {
  readonly #path: string;
  readonly #table: Matrix;
  readonly #padId: number | undefined;
  readonly #space: IdSpace;

  constructor(params: ParamStore, options: EmbeddingOptions) {
    checkParams('Embedding', params);
    const { count, dim, padId, name, init = initializers.normal(0.02) } = options;
    this.#path = params.path;
    this.#table = params.table('weight', [count, dim], init);
    this.#padId = padId;
    this.#space = name ? { name, count, of: `the ${count} ${name}s` } : vocabularyOf(count);
  }

  /** `[count, dim]`, in the form that it is kept in now. */
  get weight(): tf.Tensor2D | PackedWeight {
    return formOf(this.#table, this.#path);
  }

  /**
   * @param ids `[...]`, int32, each in [0, count)
   * @returns `[..., D]`
   * @throws InputError naming the first id outside, its position and `count`, before anything is computed; for ids that
   * only a GPU has, the next `readTensor` throws it
   */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const padId = this.#padId;
    checkIds(ids, this.#space);
    const table =
      (ctx?.adapters?.parameter?.(`${this.#path}.weight`) as tf.Tensor2D | undefined) ??
      this.weight;
    if (padId === undefined) return gatherRows(table, ids, 'trusted');
    return tf.tidy(() => {
      const learns = ids.notEqual(padId).expandDims(-1).toFloat(); // [..., 1]
      return gradientTimes(gatherRows(table, ids, 'trusted'), learns);
    });
  }

  /**
   * The scores of every row, `x Eᵀ + b`: an output head that is tied to this table. `[..., D] → [..., V]`
   *
   * E is the model's own table, also where adapters look tokens up in a copy of theirs.
   *
   * @param bias `[V]`
   */
  scores(x: tf.Tensor, bias?: tf.Tensor1D): tf.Tensor {
    const table = this.weight;
    return table instanceof PackedWeight
      ? packedLinear(x, table, bias)
      : linear(x, table, bias, 'out-in');
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
