import { type ForwardContext, type Layer, ones, type ParamStore, zeros } from '@headwise/core';
import { layerNorm, rmsNorm } from '@headwise/kernels';
import type * as tf from '@tensorflow/tfjs';

export interface NormOptions {
  /** `D`, the width of a row. */
  dim: number;
  /** Added to the variance; default 1e-5 for layer norm, 1e-6 for RMS norm. */
  epsilon?: number;
}

/**
 * Layer norm of the last axis: `(x − mean) / √(var + ε) · weight + bias`.
 *
 * Parameters: `weight` and `bias`, `[dim]` each.
 *
 * @see Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450
 */
export class LayerNorm implements Layer {
  readonly #weight: tf.Tensor;
  readonly #bias: tf.Tensor;
  readonly #epsilon: number;

  constructor(params: ParamStore, { dim, epsilon = 1e-5 }: NormOptions) {
    this.#weight = params.get('weight', [dim], ones);
    this.#bias = params.get('bias', [dim], zeros);
    this.#epsilon = epsilon;
  }

  /** @param x `[..., D]` @returns `[..., D]` */
  forward(x: tf.Tensor, _ctx?: ForwardContext): tf.Tensor {
    return layerNorm(x, this.#weight, this.#bias, this.#epsilon);
  }
}

/**
 * RMS norm of the last axis: `x / √(mean(x²) + ε) · weight`.
 *
 * Parameters: `weight` `[dim]`.
 *
 * @see Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467
 */
export class RMSNorm implements Layer {
  readonly #weight: tf.Tensor;
  readonly #epsilon: number;

  constructor(params: ParamStore, { dim, epsilon = 1e-6 }: NormOptions) {
    this.#weight = params.get('weight', [dim], ones);
    this.#epsilon = epsilon;
  }

  /** @param x `[..., D]` @returns `[..., D]` */
  forward(x: tf.Tensor, _ctx?: ForwardContext): tf.Tensor {
    return rmsNorm(x, this.#weight, this.#epsilon);
  }
}
