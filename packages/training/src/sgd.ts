import { InputError } from '@headwise/core';
import { optimizerState, plainSgdRule, sgdRule } from '@headwise/kernels/internal';
import { checkShares, type OptimizerClass, optimizerClass } from './fused.js';
import type { ByPathOptions, Optimizer } from './optimizer.js';

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
export const Sgd: OptimizerClass<SgdOptions> = optimizerClass('sgd', 'Sgd', (options) => {
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
  return {
    choices,
    state: (parameters) => optimizerState(rule, parameters),
  };
});

/** What `new Sgd` makes. */
export type Sgd = Optimizer;
