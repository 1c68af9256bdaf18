import type { Rule } from './rule.js';

/**
 * An exponential moving average: the values move towards what is given as their gradient, `p ← p + η (g − p)`.
 *
 * With a rate of at least a half it is `p ← g − (1 − η)(g − p)`, as `torch.lerp` computes it, so that a rate of 1 copies.
 */
export const averageRule: Rule<never> = {
  name: 'Average',
  slots: [],
  numbers: ({ learningRate }) => ({ weight: learningRate, rest: 1 - learningRate }),
  wgsl: /* wgsl */ `
    let way = gradient - value;
    value = select(gradient - params.rest * way, value + params.weight * way, params.weight < 0.5);
  `,
  reference({ value, gradient }, { learningRate }) {
    const way = gradient.sub(value);
    return {
      value:
        learningRate < 0.5
          ? value.add(way.mul(learningRate))
          : gradient.sub(way.mul(1 - learningRate)),
    };
  },
};
