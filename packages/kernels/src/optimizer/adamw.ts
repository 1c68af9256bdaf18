import type { Rule } from './rule.js';

export interface AdamWNumbers {
  beta1: number;
  beta2: number;
  epsilon: number;
}

/**
 * AdamW, as PyTorch computes it.
 *
 * `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`,
 * `p ← (1 − η λ) p − η m̂ / (√v̂ + ε)`, where `m̂ = m / (1 − β₁ᵗ)` and `v̂ = v / (1 − β₂ᵗ)`.
 *
 * @see Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101
 */
export const adamwRule = ({ beta1, beta2, epsilon }: AdamWNumbers): Rule<'m' | 'v'> => ({
  name: 'AdamW',
  slots: ['m', 'v'],
  numbers: ({ step, learningRate }) => ({
    beta1,
    beta2,
    rest1: 1 - beta1,
    rest2: 1 - beta2,
    epsilon,
    learningRate,
    stepSize: learningRate / (1 - beta1 ** step),
    rootScale: 1 / Math.sqrt(1 - beta2 ** step),
  }),
  wgsl: /* wgsl */ `
    m = params.beta1 * m + params.rest1 * gradient;
    v = params.beta2 * v + params.rest2 * (gradient * gradient);
    let change = params.stepSize * (m / (sqrt(v) * params.rootScale + params.epsilon));
    value = value * (1.0 - params.learningRate * rate * decay) - rate * change;
  `,
  reference({ value, gradient, slots, rate, decay }, { step, learningRate }) {
    const m = slots.m.mul(beta1).add(gradient.mul(1 - beta1));
    const v = slots.v.mul(beta2).add(gradient.square().mul(1 - beta2));
    const root = v.sqrt().mul(1 / Math.sqrt(1 - beta2 ** step));
    const change = m.div(root.add(epsilon)).mul((rate * learningRate) / (1 - beta1 ** step));
    return { value: value.mul(1 - learningRate * rate * decay).sub(change), m, v };
  },
});
