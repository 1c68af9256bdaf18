import { adamwRule, optimizerState } from '@headwise/kernels/internal';
import { checkAtLeast0, checkShares, type OptimizerClass, optimizerClass } from './fused.js';
import type { ByPathOptions, Optimizer } from './optimizer.js';

/** `weightDecay` is 0.01 by default. */
export interface AdamWOptions extends ByPathOptions {
  /** Default 0.9. */
  beta1?: number | undefined;
  /** Default 0.999. */
  beta2?: number | undefined;
  /** Default 1e-8. */
  epsilon?: number | undefined;
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
export const AdamW: OptimizerClass<AdamWOptions> = optimizerClass('adamw', 'AdamW', (options) => {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, rates } = options;
  checkShares('AdamW', { beta1, beta2 });
  checkAtLeast0('AdamW: epsilon', epsilon);
  return {
    choices: { weightDecay, rates },
    state: (parameters) => optimizerState(adamwRule({ beta1, beta2, epsilon }), parameters),
  };
});

/** What `new AdamW` makes. */
export type AdamW = Optimizer;
