import { InputError } from '@headwise/core';
import { type AdamWState, adamwState } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';
import { checkTrainable } from './trainable.js';

export interface AdamWOptions {
  /** Default 0.9. */
  beta1?: number | undefined;
  /** Default 0.999. */
  beta2?: number | undefined;
  /** Default 1e-8. */
  epsilon?: number | undefined;
  /** Default 0.01. */
  weightDecay?: number | undefined;
  /** Which parameters decay; default matrices, not biases and norms. */
  decays?: ((path: string, variable: tf.Variable) => boolean) | undefined;
}

/** The state of an optimizer. */
export interface OptimizerState {
  steps: number;
  /** First and second moments, `m.<path>` and `v.<path>`. */
  tensors: Record<string, tf.Tensor>;
}

/** One moment of one parameter. */
export interface Moment {
  shape: number[];
  /** The values now; the caller disposes the tensor. */
  copy(): tf.Tensor;
}

/**
 * Adam with decoupled weight decay, as PyTorch computes it.
 *
 * `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`,
 * `p ← (1 − η λ) p − η m̂ / (√v̂ + ε)`, where `m̂ = m / (1 − β₁ᵗ)` and `v̂ = v / (1 − β₂ᵗ)`.
 *
 * It owns its moments; `dispose` frees them, not the parameters.
 *
 * @see Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101
 */
export class AdamW {
  /** The number of each parameter in the state, by path. */
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #shapes: number[][];
  readonly #state: AdamWState;
  readonly #options: Record<keyof Omit<AdamWOptions, 'decays'>, number>;
  #steps = 0;

  /**
   * @param params by path, as `ParamStore.named` gives them
   * @throws InputError where a part of the model is packed, or a parameter is frozen or freed
   */
  constructor(params: Readonly<Record<string, tf.Variable>>, options: AdamWOptions = {}) {
    checkTrainable('AdamW', params);
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = options;
    const { decays = (_, variable) => variable.rank >= 2 } = options;
    this.#options = { beta1, beta2, epsilon, weightDecay };
    const entries = Object.entries(params);
    this.#numbers = new Map(entries.map(([path], i) => [path, i]));
    this.#shapes = entries.map(([, { shape }]) => shape);
    this.#state = adamwState(
      entries.map(([path, variable]) => ({ variable, decays: decays(path, variable) })),
    );
  }

  /** The number of updates made so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Makes one update.
   *
   * @param gradients by path; every parameter must have one
   * @param scale multiplies every gradient, a scalar: a clipping factor needs no read-back
   */
  update(
    gradients: Readonly<Record<string, tf.Tensor>>,
    learningRate: number,
    scale?: tf.Tensor,
  ): void {
    const ordered = [...this.#numbers.keys()].map((path) => {
      const gradient = gradients[path];
      if (!gradient) throw new InputError(`AdamW: no gradient for parameter '${path}'`);
      return gradient;
    });
    this.#state.update(ordered, { ...this.#options, learningRate, step: this.#steps + 1 }, scale);
    this.#steps++;
  }

  /** First and second moments to save, `m.<path>` and `v.<path>`. */
  get moments(): Record<string, Moment> {
    const moments: Record<string, Moment> = {};
    for (const [path, number] of this.#numbers) {
      for (const name of ['m', 'v'] as const) {
        const copy = () => {
          const both = this.#state.moments(number);
          both[name === 'm' ? 'v' : 'm'].dispose();
          return both[name];
        };
        moments[`${name}.${path}`] = { shape: this.#shapes[number]!, copy };
      }
    }
    return moments;
  }

  /** Goes on from a saved state, whose tensors are copied. */
  restore({ steps, tensors }: OptimizerState): void {
    const saved = (name: string) => {
      const tensor = tensors[name];
      if (!tensor) throw new InputError(`AdamW: the state lacks '${name}'`);
      return tensor;
    };
    const all = [...this.#numbers].map(([path, number]) => ({
      number,
      moments: { m: saved(`m.${path}`), v: saved(`v.${path}`) },
    }));
    for (const { number, moments } of all) this.#state.setMoments(number, moments);
    this.#steps = steps;
  }

  /** Frees the moments. */
  dispose(): void {
    this.#state.dispose();
  }
}
