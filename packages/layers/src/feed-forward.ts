import {
  type ForwardContext,
  type Initializer,
  type Layer,
  type ParamStore,
  tapped,
} from '@headwise/core';
import { activations, gatedLinear, type LinearActivation } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import { Linear } from './linear.js';

/** What stands between two linear maps, by Hugging Face's names. */
export type Activation = Exclude<LinearActivation, 'none'>;

export interface FeedForwardOptions {
  dim: number;
  /** `F`, usually 4 `dim`. */
  hidden: number;
  activation?: Activation | undefined;
  bias?: boolean | undefined;
  /** How the second projection starts, where it is scaled by depth. */
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
  readonly #path: string;

  constructor(params: ParamStore, options: FeedForwardOptions) {
    const { dim, hidden, activation = 'gelu', bias = true, outInit } = options;
    this.#path = params.path;
    this.#up = new Linear(params.at('up'), { in: dim, out: hidden, bias, activation });
    this.#down = new Linear(params.at('down'), {
      in: hidden,
      out: dim,
      bias,
      init: outInit,
    });
  }

  /** @param x `[..., D]` @returns `[..., D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const hidden = this.#up.forward(x, ctx); // [..., F]
      return this.#down.forward(tapped(ctx, this.#path, 'hidden', hidden), ctx);
    });
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
  readonly #path: string;

  constructor(params: ParamStore, options: FeedForwardOptions) {
    const { dim, hidden, activation = 'silu', bias = false, outInit } = options;
    this.#path = params.path;
    this.#gate = new Linear(params.at('gate'), { in: dim, out: hidden, bias });
    this.#up = new Linear(params.at('up'), { in: dim, out: hidden, bias });
    this.#down = new Linear(params.at('down'), {
      in: hidden,
      out: dim,
      bias,
      init: outInit,
    });
    this.#activation = activation;
  }

  /** @param x `[..., D]` @returns `[..., D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const hidden = tapped(ctx, this.#path, 'hidden', this.#hidden(x, ctx)); // [..., F]
      return this.#down.forward(hidden, ctx);
    });
  }

  /** In one operation, where no adapter comes in between and both weights are there in float32. */
  #hidden(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const [gate, up] = [this.#gate.projection, this.#up.projection];
    if (gate && up && !ctx?.adapters) {
      return gatedLinear(x, gate, up, 'in-out', this.#activation);
    }
    return activations[this.#activation](this.#gate.forward(x, ctx)).mul(this.#up.forward(x, ctx));
  }
}
