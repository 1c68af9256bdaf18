import { lionRule, optimizerState } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';
import { checkShares, Fused } from './fused.js';
import type { ByPathOptions, Optimizer, SavedOptimizer, StateTensor } from './optimizer.js';

/** `weightDecay` is 0 by default. */
export interface LionOptions extends ByPathOptions {
  /** Default 0.9. */
  beta1?: number | undefined;
  /** Default 0.99. */
  beta2?: number | undefined;
}

/**
 * Lion: steps by the sign of an average of gradients, with decoupled weight decay; it keeps one tensor for each parameter.
 *
 * `p ← (1 − η λ) p − η sign(β₁ m + (1 − β₁) g)`, then `m ← β₂ m + (1 − β₂) g`. Its learning rate is some 3 to 10 times
 * smaller than AdamW's, its weight decay as many times larger.
 *
 * @see Chen et al. 2023, https://arxiv.org/abs/2302.06675
 */
export class Lion implements Optimizer {
  readonly name = 'lion';
  readonly #fused: Fused;

  /**
   * @param params by path, as `ParamStore.named` gives them
   * @throws InputError where a part of the model is packed, a parameter is frozen or freed, or an option is outside its range
   */
  constructor(params: Readonly<Record<string, tf.Variable>>, options: LionOptions = {}) {
    const { beta1 = 0.9, beta2 = 0.99, ...choices } = options;
    checkShares('Lion', { beta1, beta2 });
    this.#fused = new Fused({
      name: this.name,
      title: 'Lion',
      params,
      choices,
      state: (parameters) => optimizerState(lionRule({ beta1, beta2 }), parameters),
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
