import {
  checkParams,
  type ForwardContext,
  type Initializer,
  initializers,
  type Layer,
  type ParamStore,
} from '@headwise/core';
import type { AdaptableParam, Matrix, MatrixLayout } from '@headwise/core/internal';
import {
  type LinearActivation,
  linear,
  PackedWeight,
  type Projection,
  packedLinear,
} from '@headwise/kernels';
import { activations } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { formOf } from './packed.js';

export interface LinearOptions {
  in: number;
  out: number;
  /** Default true. */
  bias?: boolean | undefined;
  /** Default `in-out`; see {@link MatrixLayout}. */
  layout?: MatrixLayout | undefined;
  /** What the map ends with; default `none`. */
  activation?: LinearActivation | undefined;
  /** The outputs of each map, where this layer is several side by side: optimizers that treat matrices as such take them apart. */
  parts?: readonly number[] | undefined;
  /** How the weight starts; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
}

/**
 * A linear map of the last axis: `y = f(x W + b + δ(x))`, where δ is an adapter of the context, or nothing.
 *
 * Parameters: `weight` `[in, out]` or `[out, in]`, `bias` `[out]`. The weight may be packed.
 */
export class Linear implements Layer {
  readonly path: string;
  readonly #matrix: Matrix;
  readonly #bias: AdaptableParam<tf.Tensor1D> | undefined;
  readonly #activation: LinearActivation;

  constructor(params: ParamStore, options: LinearOptions) {
    checkParams('Linear', params);
    const { layout = 'in-out', init = initializers.normal(0.02), parts } = options;
    const sizes = [options.in, options.out] as const;
    const shape = layout === 'in-out' ? sizes : ([sizes[1], sizes[0]] as const);
    this.path = params.path;
    this.#activation = options.activation ?? 'none';
    this.#matrix = params.matrix('weight', shape, layout, init, parts);
    if (options.bias ?? true) {
      this.#bias = params.adaptable('bias', [options.out], initializers.zeros);
    }
  }

  /** Its parameters, for an operation that fuses several maps; undefined while its weight is packed. */
  get projection(): Projection | undefined {
    const { variable } = this.#matrix;
    return variable && { weight: variable, bias: this.#bias?.() };
  }

  /** @param x `[..., in]` @returns `[..., out]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const bias = this.#bias?.(ctx);
      let own: tf.Tensor | undefined;
      const product = (rows: tf.Tensor) => {
        if (rows !== x) return this.#map(rows, undefined, 'none', ctx);
        own ??= this.#map(x, undefined, 'none', ctx);
        return own;
      };
      const delta = ctx?.adapters?.delta(this.path, x, ctx, product);
      if (!delta) return this.#map(x, bias, this.#activation, ctx);
      const mapped = own ? (bias ? own.add(bias) : own) : this.#map(x, bias, 'none', ctx);
      return activations[this.#activation](mapped.add(delta));
    });
  }

  /** `added` plus the map of x, in one dispatch where the weight is there in float32. @param added `[..., out]` */
  forwardSum(x: tf.Tensor, added: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { projection } = this;
    if (!projection || ctx?.adapters) return tf.tidy(() => added.add(this.forward(x, ctx)));
    const { weight, bias } = projection;
    const { layout } = this.#matrix;
    return linear(x, weight, bias, layout, this.#activation, ctx?.precision, added);
  }

  #map(
    x: tf.Tensor,
    bias: tf.Tensor1D | undefined,
    activation: LinearActivation,
    ctx: ForwardContext | undefined,
  ): tf.Tensor {
    const copy = ctx?.adapters?.parameter?.(`${this.path}.weight`) as tf.Tensor2D | undefined;
    const weight = copy ?? formOf(this.#matrix, this.path);
    return weight instanceof PackedWeight
      ? packedLinear(x, weight, bias, activation, ctx?.precision)
      : linear(x, weight, bias, this.#matrix.layout, activation, ctx?.precision);
  }
}
