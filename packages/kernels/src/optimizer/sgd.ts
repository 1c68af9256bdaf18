import type { Rule } from './rule.js';

export interface SgdNumbers {
  /** Above 0. */
  momentum: number;
  dampening: number;
  nesterov: boolean;
}

/**
 * Gradient descent, as PyTorch computes it without momentum: `p ← p − η (g + λ p)`; it keeps nothing.
 */
export const plainSgdRule: Rule<never> = {
  name: 'Sgd',
  slots: [],
  numbers: ({ learningRate }) => ({ learningRate }),
  wgsl: /* wgsl */ `
    value -= params.learningRate * rate * (gradient + decay * value);
  `,
  reference({ value, gradient, rate, decay }, { learningRate }) {
    return { value: value.sub(gradient.add(value.mul(decay)).mul(learningRate * rate)) };
  },
};

/**
 * Gradient descent with momentum, as PyTorch computes it.
 *
 * `g' = g + λ p`, `m ← μ m + (1 − τ) g'` with dampening `τ`, at first `m ← g'`; `p ← p − η m`, or with Nesterov's
 * momentum `p ← p − η (g' + μ m)`.
 *
 * @see Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html
 */
export const sgdRule = ({ momentum, dampening, nesterov }: SgdNumbers): Rule<'m'> => {
  const fresh = (step: number) => (step === 1 ? 1 : 1 - dampening);
  return {
    name: 'SgdMomentum',
    slots: ['m'],
    numbers: ({ step, learningRate }) => ({
      learningRate,
      momentum,
      fresh: fresh(step),
      // The change is a sum of both: of the gradient without Nesterov's momentum nothing.
      ownGradient: nesterov ? 1 : 0,
      ofMomentum: nesterov ? momentum : 1,
    }),
    wgsl: /* wgsl */ `
      let whole = gradient + decay * value;
      m = params.momentum * m + params.fresh * whole;
      value -= params.learningRate * rate * (params.ownGradient * whole + params.ofMomentum * m);
    `,
    reference({ value, gradient, slots, rate, decay }, { step, learningRate }) {
      const whole = gradient.add(value.mul(decay));
      const m = slots.m.mul(momentum).add(whole.mul(fresh(step)));
      const change = nesterov ? whole.add(m.mul(momentum)) : m;
      return { value: value.sub(change.mul(learningRate * rate)), m };
    },
  };
};
