import { InputError } from '@headwise/core';

/** The share of a decoder's inputs that are its own predictions at a step of training, counted from 0: a number from 0 to 1. */
export type SampledShare = (step: number) => number;

export interface LinearShareOptions {
  /** At the first step; default 0. */
  from?: number | undefined;
  /** After `steps`, and from then on. */
  to: number;
  /** Steps from the one share to the other. */
  steps: number;
}

export interface CurvedShareOptions {
  /** How slowly the share rises. */
  k: number;
  /** What the share comes close to; default 1. */
  to?: number | undefined;
}

/**
 * A share that changes in a straight line, then stays: `from + (to − from) min(1, step / steps)`.
 *
 * @throws InputError for shares outside [0, 1], and steps that are not a whole number of at least 1
 * @see Bengio et al. 2015, section 2.4 (linear decay), https://arxiv.org/abs/1506.03099
 */
export function linearShare({ from = 0, to, steps }: LinearShareOptions): SampledShare {
  checkShares('linearShare', { from, to });
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new InputError(`linearShare: steps is ${steps}; expected a whole number of at least 1`);
  }
  return (step) => from + (to - from) * Math.min(1, step / steps);
}

/**
 * A share that rises fast, then slowly: `to (1 − k^step)`, where `0 < k < 1`.
 *
 * @throws InputError for options out of range
 * @see Bengio et al. 2015, section 2.4 (exponential decay), https://arxiv.org/abs/1506.03099
 */
export function exponentialShare({ k, to = 1 }: CurvedShareOptions): SampledShare {
  checkShares('exponentialShare', { to });
  if (!(k > 0 && k < 1)) {
    throw new InputError(`exponentialShare: k is ${k}; expected a number between 0 and 1`);
  }
  return (step) => to * (1 - k ** step);
}

/**
 * A share that rises in the form of an S, by half of it at step `k ln k`: `to (1 − k / (k + e^(step / k)))`, where `k ≥ 1`.
 *
 * @throws InputError for options out of range
 * @see Bengio et al. 2015, section 2.4 (inverse sigmoid decay), https://arxiv.org/abs/1506.03099
 */
export function inverseSigmoidShare({ k, to = 1 }: CurvedShareOptions): SampledShare {
  checkShares('inverseSigmoidShare', { to });
  if (!(k >= 1 && Number.isFinite(k))) {
    throw new InputError(`inverseSigmoidShare: k is ${k}; expected a finite number of at least 1`);
  }
  return (step) => to * (1 - k / (k + Math.exp(step / k)));
}

function checkShares(name: string, shares: Readonly<Record<string, number>>): void {
  for (const [key, share] of Object.entries(shares)) {
    if (share >= 0 && share <= 1) continue;
    throw new InputError(`${name}: ${key} is ${share}; expected a number from 0 to 1`);
  }
}
