import type { Rule } from '../rule.js';

/**
 * The average of gradients that Muon orthogonalises, as the `value` of a rule.
 *
 * `m ← μ m + (1 − μ) g`; `(1 − μ) g + μ m` with Nesterov's momentum, else `m`
 */
export const averageRule = ({
  momentum: kept,
  nesterov,
}: {
  momentum: number;
  nesterov: boolean;
}): Rule<'momentum'> => ({
  name: 'MuonAverage',
  slots: ['momentum'],
  numbers: () => ({
    kept,
    fresh: 1 - kept,
    ownGradient: nesterov ? 1 - kept : 0,
    ofMomentum: nesterov ? kept : 1,
  }),
  wgsl: /* wgsl */ `
    momentum = params.kept * momentum + params.fresh * gradient;
    value = params.ownGradient * gradient + params.ofMomentum * momentum;
  `,
  reference({ gradient, slots }) {
    const momentum = slots.momentum.mul(kept).add(gradient.mul(1 - kept));
    const value = nesterov ? gradient.mul(1 - kept).add(momentum.mul(kept)) : momentum;
    return { value, momentum };
  },
});
