import { InputError } from '@headwise/core';
import { AdafactorState } from '@headwise/kernels/internal';
import { checkAtLeast0, checkShares, type OptimizerClass, optimizerClass } from './fused.js';
import type { ByPathOptions, Optimizer } from './optimizer.js';

/** `weightDecay` is 0 by default. */
export interface AdafactorOptions extends ByPathOptions {
  /** Added to squared gradients; default 1e-30. */
  epsilon?: number | undefined;
  /** Whether a step is relative to its parameter's root mean square; default true. */
  scaleParameter?: boolean | undefined;
  /** The least that a parameter's root mean square is taken for; default 1e-3. */
  leastScale?: number | undefined;
  /** The most that the root mean square of an update before the learning rate may be; default 1. */
  clipThreshold?: number | undefined;
  /** γ: squared gradients are averaged with `1 − tᵞ`; negative, default −0.8. */
  decayRate?: number | undefined;
  /** Of an average of updates; default none, so that nothing of a parameter's size is kept. */
  beta1?: number | undefined;
}

/**
 * Adafactor: Adam's second moments of a matrix from their means over rows and over columns, which takes the memory of vectors.
 *
 * `V ← β V + (1 − β)(g² + ε)` with `β = 1 − tᵞ`, of a matrix as `V ≈ r cᵀ / mean(r)`; `u = g / √V`, clipped to a root mean square of
 * d; `p ← p − η max(ε₂, rms(p)) u`. As transformers computes it with `relative_step=False`; the relative steps of the paper are a
 * schedule, {@link adafactorRate}.
 *
 * @see Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235
 */
export const Adafactor: OptimizerClass<AdafactorOptions> = optimizerClass(
  'adafactor',
  'Adafactor',
  (options) => {
    const { epsilon = 1e-30, scaleParameter = true, leastScale = 1e-3 } = options;
    const { clipThreshold = 1, decayRate = -0.8, beta1, ...choices } = options;
    checkAtLeast0('Adafactor: epsilon', epsilon);
    checkAtLeast0('Adafactor: leastScale', leastScale);
    if (beta1 !== undefined) checkShares('Adafactor', { beta1 });
    if (!(clipThreshold > 0)) {
      throw new InputError(`Adafactor: clipThreshold is ${clipThreshold}; expected above 0`);
    }
    if (!(decayRate < 0)) {
      throw new InputError(`Adafactor: decayRate is ${decayRate}; expected below 0`);
    }
    const numbers = { epsilon, scaleParameter, leastScale, clipThreshold, decayRate, beta1 };
    return {
      choices,
      state: (parameters) => new AdafactorState(numbers, parameters),
    };
  },
);

/** What `new Adafactor` makes. */
export type Adafactor = Optimizer;
