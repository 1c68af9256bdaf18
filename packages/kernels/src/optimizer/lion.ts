import type { Rule } from './rule.js';

export interface LionNumbers {
  beta1: number;
  beta2: number;
}

/**
 * Lion: the sign of an average of gradients, with decoupled weight decay.
 *
 * `p ← (1 − η λ) p − η sign(β₁ m + (1 − β₁) g)`, then `m ← β₂ m + (1 − β₂) g`
 *
 * @see Chen et al. 2023, https://arxiv.org/abs/2302.06675
 */
export const lionRule = ({ beta1, beta2 }: LionNumbers): Rule<'m'> => ({
  name: 'Lion',
  slots: ['m'],
  numbers: ({ learningRate }) => ({
    learningRate,
    beta1,
    beta2,
    rest1: 1 - beta1,
    rest2: 1 - beta2,
  }),
  wgsl: /* wgsl */ `
    let own_rate = params.learningRate * rate;
    let change = own_rate * sign(params.beta1 * m + params.rest1 * gradient);
    m = params.beta2 * m + params.rest2 * gradient;
    value = value * (1.0 - own_rate * decay) - change;
  `,
  reference({ value, gradient, slots, rate, decay }, { learningRate }) {
    const change = slots.m
      .mul(beta1)
      .add(gradient.mul(1 - beta1))
      .sign();
    const m = slots.m.mul(beta2).add(gradient.mul(1 - beta2));
    const kept = value.mul(1 - learningRate * rate * decay);
    return { value: kept.sub(change.mul(learningRate * rate)), m };
  },
});
