import {
  checkParams,
  type ForwardContext,
  initializers,
  type Layer,
  type ParamStore,
} from '@headwise/core';
import type { AdaptableParam } from '@headwise/core/internal';
import { addLayerNorm, addRmsNorm, layerNorm, rmsNorm, type SumAndNorm } from '@headwise/kernels';
import { besideLayerNorm, besideRmsNorm } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

export interface NormOptions {
  /** `D`, the width of a row. */
  dim: number;
  /** Added to the variance; default 1e-5 for layer norm, 1e-6 for RMS norm. */
  epsilon?: number | undefined;
  /** Added to the weight, which starts at `1 − offset`: 1 in Gemma, whose weights are learned around 0; default 0. */
  offset?: number | undefined;
}

export interface LayerNormOptions extends NormOptions {
  /** Default true. */
  bias?: boolean | undefined;
}

/** The weight of a norm, with its offset. */
function scaleOf(params: ParamStore, { dim, offset = 0 }: NormOptions): AdaptableParam {
  const start = offset === 0 ? initializers.ones : initializers.constant(1 - offset);
  const weight = params.adaptable('weight', [dim], start);
  return offset === 0 ? weight : (ctx) => weight(ctx).add(offset);
}

/**
 * Layer norm of the last axis: `(x − mean) / √(var + ε) · (weight + offset) + bias`.
 *
 * Parameters: `weight` and, unless `bias` is false, `bias`, `[dim]` each.
 *
 * @see Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450
 */
export class LayerNorm implements Layer {
  readonly path: string;
  readonly #weight: AdaptableParam;
  readonly #bias: AdaptableParam;
  readonly #epsilon: number;

  constructor(params: ParamStore, options: LayerNormOptions) {
    const { dim, epsilon = 1e-5, bias = true } = options;
    checkParams('LayerNorm', params);
    this.path = params.path;
    this.#weight = scaleOf(params, options);
    this.#bias = bias ? params.adaptable('bias', [dim], initializers.zeros) : () => tf.zeros([dim]);
    this.#epsilon = epsilon;
  }

  /** @param x `[..., D]` @returns `[..., D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => layerNorm(x, this.#weight(ctx), this.#bias(ctx), this.#epsilon));
  }

  /** `x + added` and its norm, in one dispatch. @param x `[..., D]` @param added of the shape of x */
  forwardSum(x: tf.Tensor, added: tf.Tensor, ctx?: ForwardContext): SumAndNorm {
    return tf.tidy(() => addLayerNorm(x, added, this.#weight(ctx), this.#bias(ctx), this.#epsilon));
  }

  /** x, and its norm, whose gradients are added in one dispatch. @param x `[..., D]` */
  forwardBeside(x: tf.Tensor, ctx?: ForwardContext): SumAndNorm {
    return tf.tidy(() => besideLayerNorm(x, this.#weight(ctx), this.#bias(ctx), this.#epsilon));
  }
}

/**
 * RMS norm of the last axis: `x / √(mean(x²) + ε) · (weight + offset)`.
 *
 * Parameters: `weight` `[dim]`.
 *
 * @see Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467
 */
export class RMSNorm implements Layer {
  readonly path: string;
  readonly #weight: AdaptableParam;
  readonly #epsilon: number;

  constructor(params: ParamStore, options: NormOptions) {
    const { epsilon = 1e-6 } = options;
    checkParams('RMSNorm', params);
    this.path = params.path;
    this.#weight = scaleOf(params, options);
    this.#epsilon = epsilon;
  }

  /** @param x `[..., D]` @returns `[..., D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => rmsNorm(x, this.#weight(ctx), this.#epsilon));
  }

  /** `x + added` and its norm, in one dispatch. @param x `[..., D]` @param added of the shape of x */
  forwardSum(x: tf.Tensor, added: tf.Tensor, ctx?: ForwardContext): SumAndNorm {
    return tf.tidy(() => addRmsNorm(x, added, this.#weight(ctx), this.#epsilon));
  }

  /** x, and its norm, whose gradients are added in one dispatch. @param x `[..., D]` */
  forwardBeside(x: tf.Tensor, ctx?: ForwardContext): SumAndNorm {
    return tf.tidy(() => besideRmsNorm(x, this.#weight(ctx), this.#epsilon));
  }
}

/**
 * The residual stream, and its norm: what goes on as the stream should be what this gives, so that its two gradients are added
 * in one dispatch where the norm is one of this package.
 *
 * @param x `[..., D]`
 */
export function besideNorm(norm: Layer, x: tf.Tensor, ctx?: ForwardContext): SumAndNorm {
  const fused = norm instanceof LayerNorm || norm instanceof RMSNorm;
  return fused ? norm.forwardBeside(x, ctx) : { sum: x, y: norm.forward(x, ctx) };
}

/**
 * The residual stream after an addition, and its norm: fused where the norm is one of this package.
 *
 * `sum = x + added`, `y = norm(sum)`; where the tap replaces the sum, the norm is of its replacement.
 *
 * @param x `[..., D]`
 * @param added `[..., D]`
 * @param tap shows the sum and gives it back, or its replacement
 */
export function addAndNorm(
  norm: Layer,
  x: tf.Tensor,
  added: tf.Tensor,
  ctx?: ForwardContext,
  tap: (sum: tf.Tensor) => tf.Tensor = (sum) => sum,
): SumAndNorm {
  const fused = norm instanceof LayerNorm || norm instanceof RMSNorm;
  const { sum, y } = fused ? norm.forwardSum(x, added, ctx) : { sum: x.add(added), y: undefined };
  const shown = tap(sum);
  return { sum: shown, y: y && shown === sum ? y : norm.forward(shown, ctx) };
}
