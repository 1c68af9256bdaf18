import { lionRule, optimizerState } from '@headwise/kernels/internal';
import { checkShares, type OptimizerClass, optimizerClass } from './fused.js';
import type { ByPathOptions, Optimizer } from './optimizer.js';

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
export const Lion: OptimizerClass<LionOptions> = optimizerClass('lion', 'Lion', (options) => {
  const { beta1 = 0.9, beta2 = 0.99, ...choices } = options;
  checkShares('Lion', { beta1, beta2 });
  return {
    choices,
    state: (parameters) => optimizerState(lionRule({ beta1, beta2 }), parameters),
  };
});

/** What `new Lion` makes. */
export type Lion = Optimizer;
