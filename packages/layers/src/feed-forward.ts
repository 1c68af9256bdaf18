import {
  checkLayer,
  checkParams,
  type ForwardContext,
  type Initializer,
  type Layer,
  type ParamStore,
  tapped,
} from '@headwise/core';
import { isTapped, type MatrixLayout } from '@headwise/core/internal';
import { gatedLinear, type LinearActivation } from '@headwise/kernels';
import { activations, feedForward } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { Linear } from './linear.js';

/** The activation between two linear maps, by Hugging Face's names; `none` for their `linear`. */
export type Activation = LinearActivation;

export interface FeedForwardOptions {
  dim: number;
  /** `F`, usually 4 `dim`. */
  hidden: number;
  activation?: Activation | undefined;
  bias?: boolean | undefined;
  /** Of every weight; default `in-out`. */
  layout?: MatrixLayout | undefined;
  /** Applied to the hidden values. */
  dropout?: Layer | undefined;
  /** How the weights start; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
  /** How the last weight starts, where it is another; it may be scaled by depth. */
  outInit?: Initializer | undefined;
}

/**
 * Two linear maps with an activation between them: `f(x W₁ + b₁) W₂ + b₂`; the default is GELU.
 *
 * Parameters: `up` and `down`, linear maps. Taps: `hidden` `[B, T, F]`.
 */
export class FeedForward implements Layer {
  readonly #up: Linear;
  readonly #down: Linear;
  readonly #activation: Activation;
  readonly #layout: MatrixLayout;
  readonly #dropout: Layer | undefined;
  readonly path: string;

  constructor(params: ParamStore, options: FeedForwardOptions) {
    checkParams('FeedForward', params);
    if (options.dropout !== undefined) checkLayer('FeedForward: dropout', options.dropout);
    const { dim, hidden, activation = 'gelu', bias = true, layout = 'in-out', init } = options;
    this.path = params.place;
    this.#activation = activation;
    this.#layout = layout;
    this.#dropout = options.dropout;
    const up = { in: dim, out: hidden, bias, layout, activation, init };
    this.#up = new Linear(params.at('up'), up);
    const down = { in: hidden, out: dim, bias, layout, init: options.outInit ?? init };
    this.#down = new Linear(params.at('down'), down);
  }

  /** @param x `[..., D]` @returns `[..., D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return (
      this.#whole(x, undefined, ctx) ?? tf.tidy(() => this.#down.forward(this.#hidden(x, ctx), ctx))
    );
  }

  /** `added` plus what the layer makes of x. @param x `[..., D]` @param added `[..., D]` */
  forwardSum(x: tf.Tensor, added: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const whole = this.#whole(x, added, ctx);
    return whole ?? tf.tidy(() => this.#down.forwardSum(this.#hidden(x, ctx), added, ctx));
  }

  /** Both maps in one operation, where nothing comes in between and both weights are there in float32. */
  #whole(
    x: tf.Tensor,
    added: tf.Tensor | undefined,
    ctx: ForwardContext | undefined,
  ): tf.Tensor | undefined {
    const [up, down] = [this.#up.projection, this.#down.projection];
    const between = this.#dropout !== undefined || isTapped(ctx, this.path, 'hidden');
    if (!up || !down || between || ctx?.adapters || ctx?.precision === 'mixed') return undefined;
    return feedForward(x, up, down, this.#layout, this.#activation, added);
  }

  #hidden(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const hidden = tapped(ctx, this.path, 'hidden', this.#up.forward(x, ctx)); // [..., F]
    return this.#dropout?.forward(hidden, ctx) ?? hidden;
  }
}

/**
 * A feed-forward layer whose hidden values are gated: `(f(x W_g) ⊙ x W_u) W_d`; SwiGLU by default.
 *
 * Parameters: `gate`, `up` and `down`, linear maps. Taps: `hidden` `[B, T, F]`.
 *
 * @see Shazeer 2020, https://arxiv.org/abs/2002.05202
 */
export class GatedFeedForward implements Layer {
  readonly #gate: Linear;
  readonly #up: Linear;
  readonly #down: Linear;
  readonly #activation: Activation;
  readonly #layout: MatrixLayout;
  readonly #dropout: Layer | undefined;
  readonly path: string;

  constructor(params: ParamStore, options: FeedForwardOptions) {
    checkParams('GatedFeedForward', params);
    if (options.dropout !== undefined) checkLayer('GatedFeedForward: dropout', options.dropout);
    const { dim, hidden, activation = 'silu', bias = false, layout = 'in-out', init } = options;
    this.path = params.place;
    this.#activation = activation;
    this.#layout = layout;
    this.#dropout = options.dropout;
    const up = { in: dim, out: hidden, bias, layout, init };
    this.#gate = new Linear(params.at('gate'), up);
    this.#up = new Linear(params.at('up'), up);
    const down = { in: hidden, out: dim, bias, layout, init: options.outInit ?? init };
    this.#down = new Linear(params.at('down'), down);
  }

  /** @param x `[..., D]` @returns `[..., D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => this.#down.forward(this.#hidden(x, ctx), ctx));
  }

  /** `added` plus what the layer makes of x. @param x `[..., D]` @param added `[..., D]` */
  forwardSum(x: tf.Tensor, added: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => this.#down.forwardSum(this.#hidden(x, ctx), added, ctx));
  }

  #hidden(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const hidden = tapped(ctx, this.path, 'hidden', this.#gated(x, ctx)); // [..., F]
    return this.#dropout?.forward(hidden, ctx) ?? hidden;
  }

  /** In one operation, where no adapter comes in between and both weights are there in float32. */
  #gated(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const [gate, up] = [this.#gate.projection, this.#up.projection];
    if (gate && up && !ctx?.adapters) {
      return gatedLinear(x, gate, up, this.#layout, this.#activation, ctx?.precision);
    }
    return activations[this.#activation](this.#gate.forward(x, ctx)).mul(this.#up.forward(x, ctx));
  }
}

/**
 * `added + layer(x)`: in the last product of a feed-forward layer of this package.
 *
 * @param x `[..., D]`
 * @param added `[..., D]`
 */
export function addTo(
  added: tf.Tensor,
  layer: Layer,
  x: tf.Tensor,
  ctx?: ForwardContext,
): tf.Tensor {
  const fused = layer instanceof FeedForward || layer instanceof GatedFeedForward;
  return fused ? layer.forwardSum(x, added, ctx) : added.add(layer.forward(x, ctx));
}
