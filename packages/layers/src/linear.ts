import {
  type ForwardContext,
  type Initializer,
  type Layer,
  normal,
  type ParamStore,
  zeros,
} from '@headwise/core';
import {
  type LinearActivation,
  linear,
  type Projection,
  type WeightLayout,
} from '@headwise/kernels';
import type * as tf from '@tensorflow/tfjs';

export interface LinearOptions {
  in: number;
  out: number;
  /** Default true. */
  bias?: boolean | undefined;
  /** Default `in-out`; see {@link WeightLayout}. */
  layout?: WeightLayout | undefined;
  /** What the map ends with; default `none`. */
  activation?: LinearActivation | undefined;
  /** How the weight starts; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
}

/**
 * A linear map of the last axis: `y = f(x W + b)`.
 *
 * Parameters: `weight` `[in, out]` or `[out, in]`, `bias` `[out]`.
 */
export class Linear implements Layer {
  readonly #weight: tf.Tensor2D;
  readonly #bias: tf.Tensor1D | undefined;
  readonly #layout: WeightLayout;
  readonly #activation: LinearActivation;

  constructor(params: ParamStore, options: LinearOptions) {
    this.#layout = options.layout ?? 'in-out';
    this.#activation = options.activation ?? 'none';
    const shape = this.#layout === 'in-out' ? [options.in, options.out] : [options.out, options.in];
    this.#weight = params.get(
      'weight',
      shape,
      options.init ?? normal(0.02),
    ) as unknown as tf.Tensor2D;
    if (options.bias ?? true) {
      this.#bias = params.get('bias', [options.out], zeros) as unknown as tf.Tensor1D;
    }
  }

  /** Its parameters, for an operation that fuses several maps. */
  get projection(): Projection {
    return { weight: this.#weight, bias: this.#bias };
  }

  /** @param x `[..., in]` @returns `[..., out]` */
  forward(x: tf.Tensor, _ctx?: ForwardContext): tf.Tensor {
    return linear(x, this.#weight, this.#bias, this.#layout, this.#activation);
  }
}
