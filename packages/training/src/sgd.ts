import { InputError } from '@headwise/core';
import { optimizerState, plainSgdRule, sgdRule } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';
import { checkShares, Fused } from './fused.js';
import type { ByPathOptions, Optimizer, SavedOptimizer, StateTensor } from './optimizer.js';

/** `weightDecay` is 0 by default. */
export interface SgdOptions extends ByPathOptions {
  /** Default 0: none, and nothing is kept. */
  momentum?: number | undefined;
  /** The share of each gradient but the first that momentum leaves out; default 0. */
  dampening?: number | undefined;
  /** Looks ahead by the momentum; default false. */
  nesterov?: boolean | undefined;
}

/**
 * Gradient descent, with momentum where asked for, as PyTorch computes it; weight decay is added to the gradient.
 *
 * `g' = g + λ p`, `m ← μ m + (1 − τ) g'`, `p ← p − η m`, or with Nesterov's momentum `p ← p − η (g' + μ m)`.
 *
 * @see Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html
 */
export class Sgd implements Optimizer {
  readonly name = 'sgd';
  readonly #fused: Fused;

  /**
   * @param params by path, as `ParamStore.named` gives them
   * @throws InputError where a part of the model is packed, a parameter is frozen or freed, or an option is outside its range
   * or without effect
   */
  constructor(params: Readonly<Record<string, tf.Variable>>, options: SgdOptions = {}) {
    const { momentum = 0, dampening = 0, nesterov = false, ...choices } = options;
    checkShares('Sgd', { momentum, dampening });
    if (momentum === 0 && dampening > 0) {
      throw new InputError(`Sgd: dampening is ${dampening} without momentum; expected momentum`);
    }
    if (nesterov && (momentum === 0 || dampening > 0)) {
      throw new InputError(
        `Sgd: nesterov with momentum ${momentum} and dampening ${dampening}; expected momentum above 0 and no dampening`,
      );
    }
    const rule = momentum === 0 ? plainSgdRule : sgdRule({ momentum, dampening, nesterov });
    this.#fused = new Fused({
      name: this.name,
      title: 'Sgd',
      params,
      choices,
      state: (parameters) => optimizerState(rule, parameters),
    });
  }

  get steps(): number {
    return this.#fused.steps;
  }

  get state(): Readonly<Record<string, StateTensor>> {
    return this.#fused.state;
  }

  update(...given: Parameters<Optimizer['update']>): void {
    this.#fused.update(...given);
  }

  restore(saved: SavedOptimizer): void {
    this.#fused.restore(saved);
  }

  dispose(): void {
    this.#fused.dispose();
  }
}
