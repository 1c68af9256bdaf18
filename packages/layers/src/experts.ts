import {
  checkParams,
  type ForwardContext,
  type Initializer,
  initializers,
  type Layer,
  type ParamStore,
  tapped,
} from '@headwise/core';
import { type Matrix, sizeOf, stopGradient } from '@headwise/core/internal';
import {
  expertLinear,
  gatherRows,
  linear,
  type Routing,
  routeTokens,
  softmax,
  sumOfExperts,
} from '@headwise/kernels';
import { activations } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import type { Activation } from './feed-forward.js';
import { formOf } from './packed.js';

export interface ExpertsOptions {
  dim: number;
  /** `F`, of each expert. */
  hidden: number;
  /** `E` */
  experts: number;
  /** `k`: experts of a token. */
  active: number;
  /** Whether the weights of a token's experts are divided by their sum; default true. */
  normalize?: boolean | undefined;
  /** Default `silu`. */
  activation?: Activation | undefined;
  /** How the weights start; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
  /** How the last weight starts, where it is another. */
  outInit?: Initializer | undefined;
}

/**
 * A mixture of gated feed-forward layers (experts): each token goes through the `k` that a router scores highest:
 * `Σ_j p_j (f(x W_g^j) ⊙ x W_u^j) W_d^j`, with `p = softmax(x W_r)`, divided by the sum of the k.
 *
 * Which tokens an expert has is found on the device, and every token is served. Memory grows with `tokens · k`.
 *
 * Parameters: `router.weight` `[E, D]`, which is never packed; `experts.gate.weight` and `experts.up.weight` `[E F, D]`,
 * `experts.down.weight` `[E D, F]`, one expert after another. Taps: `router` `[B, T, E]`, its scores. `ctx.onRouting` sees them too,
 * for the loss of their balance.
 *
 * @see Jiang et al. 2024 (Mixtral), https://arxiv.org/abs/2401.04088
 */
export class Experts implements Layer {
  readonly path: string;
  readonly #options: ExpertsOptions;
  readonly #router: tf.Tensor2D;
  readonly #gate: Matrix;
  readonly #up: Matrix;
  readonly #down: Matrix;

  constructor(params: ParamStore, options: ExpertsOptions) {
    checkParams('Experts', params);
    const { dim, hidden, experts, init = initializers.normal(0.02), outInit = init } = options;
    this.path = params.path;
    this.#options = options;
    this.#router = params.at('router').get('weight', [experts, dim], init);
    const matrix = (name: string, out: number, inner: number, start: Initializer) => {
      const parts = Array<number>(experts).fill(out);
      const shape = [experts * out, inner] as const;
      return params.at('experts').at(name).matrix('weight', shape, 'out-in', start, parts, true);
    };
    this.#gate = matrix('gate', hidden, dim, init);
    this.#up = matrix('up', hidden, dim, init);
    this.#down = matrix('down', dim, hidden, outInit);
  }

  /** @param x `[..., D]` @returns `[..., D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { dim, experts, active, activation = 'silu' } = this.#options;
    const leading = x.shape.slice(0, -1);
    return tf.tidy(() => {
      const rows = x.reshape<tf.Tensor2D>([sizeOf(leading), dim]);
      const scored = linear(x, this.#router, undefined, 'out-in'); // [..., E]
      const scores = tapped(ctx, this.path, 'router', scored).reshape<tf.Tensor2D>([-1, experts]);
      ctx?.onRouting?.(this.path, scores);
      const routing = routeTokens(
        stopGradient(() => scores.clone()),
        active,
      );
      const product = (x: tf.Tensor, matrix: Matrix, name: string, of: 'tokens' | 'pairs') =>
        expertLinear(x as tf.Tensor2D, formOf(matrix, `${this.path}.experts.${name}`), routing, of);
      const gate = activations[activation](product(rows, this.#gate, 'gate', 'tokens'));
      const hidden = gate.mul(product(rows, this.#up, 'up', 'tokens')); // [R, F]
      const weighted = hidden.mul(this.#weights(scores, routing));
      const pairs = product(weighted, this.#down, 'down', 'pairs'); // [R, D]
      return sumOfExperts(pairs, routing).reshape(x.shape);
    });
  }

  /** What each pair counts, in the order of experts: `[R, 1]`. */
  #weights(scores: tf.Tensor2D, { choices, order }: Routing): tf.Tensor2D {
    const [tokens, experts] = scores.shape;
    const { active, normalize = true } = this.#options;
    const likely = softmax(scores).reshape<tf.Tensor2D>([tokens * experts, 1]);
    const firsts = tf.range(0, tokens * experts, experts, 'int32').expandDims(1); // [N, 1]
    const places = choices.add(firsts).flatten(); // [R]
    const chosen = gatherRows(likely, places, 'trusted').reshape([tokens, active]);
    const weights = normalize ? chosen.div(chosen.sum(1, true)) : chosen;
    return gatherRows(weights.reshape<tf.Tensor2D>([-1, 1]), order, 'trusted') as tf.Tensor2D;
  }
}
