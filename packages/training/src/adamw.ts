import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';

export interface AdamWOptions {
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Default 1e-8. */
  epsilon?: number;
  /** Default 0.01. */
  weightDecay?: number;
  /** Which parameters decay; default matrices, not biases and norms. */
  decays?: (path: string, variable: tf.Variable) => boolean;
}

interface Slot {
  variable: tf.Variable;
  m: tf.Variable;
  v: tf.Variable;
  decay: number;
}

/** What it takes to go on where an optimizer stood. */
export interface OptimizerState {
  steps: number;
  /** First and second moments, `m.<path>` and `v.<path>`. */
  tensors: Record<string, tf.Tensor>;
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
  readonly #slots = new Map<string, Slot>();
  readonly #options: Required<Omit<AdamWOptions, 'decays'>>;
  #steps = 0;

  /** @param params by path, as `ParamStore.named` gives them */
  constructor(params: Readonly<Record<string, tf.Variable>>, options: AdamWOptions = {}) {
    const { decays = (_, variable) => variable.rank >= 2, ...rest } = options;
    this.#options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, ...rest };
    for (const [path, variable] of Object.entries(params)) {
      const moment = () => tf.tidy(() => tf.variable(tf.zerosLike(variable), false));
      const decay = decays(path, variable) ? this.#options.weightDecay : 0;
      this.#slots.set(path, { variable, m: moment(), v: moment(), decay });
    }
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
    this.#steps++;
    const { beta1, beta2, epsilon } = this.#options;
    const correction1 = 1 - beta1 ** this.#steps;
    const correction2 = 1 - beta2 ** this.#steps;
    for (const [path, { variable, m, v, decay }] of this.#slots) {
      const raw = gradients[path];
      if (!raw) throw new InputError(`AdamW: no gradient for parameter '${path}'`);
      tf.tidy(() => {
        const g = scale ? raw.mul(scale) : raw;
        m.assign(m.mul(beta1).add(g.mul(1 - beta1)));
        v.assign(v.mul(beta2).add(g.square().mul(1 - beta2)));
        const root = v.sqrt().mul(1 / Math.sqrt(correction2));
        const change = m.div(root.add(epsilon)).mul(learningRate / correction1);
        const kept = decay === 0 ? variable : variable.mul(1 - learningRate * decay);
        variable.assign(kept.sub(change));
      });
    }
  }

  /** The state to save; the optimizer goes on owning the tensors. */
  get state(): OptimizerState {
    const tensors: Record<string, tf.Tensor> = {};
    for (const [path, { m, v }] of this.#slots) {
      tensors[`m.${path}`] = m;
      tensors[`v.${path}`] = v;
    }
    return { steps: this.#steps, tensors };
  }

  /** Goes on from a saved state, whose tensors are copied. */
  restore({ steps, tensors }: OptimizerState): void {
    for (const [path, slot] of this.#slots) {
      for (const moment of ['m', 'v'] as const) {
        const saved = tensors[`${moment}.${path}`];
        if (!saved) throw new InputError(`AdamW: the state lacks '${moment}.${path}'`);
        tf.tidy(() => slot[moment].assign(saved.clone()));
      }
    }
    this.#steps = steps;
  }

  /** Frees the moments. */
  dispose(): void {
    for (const { m, v } of this.#slots.values()) tf.dispose([m, v]);
    this.#slots.clear();
  }
}
