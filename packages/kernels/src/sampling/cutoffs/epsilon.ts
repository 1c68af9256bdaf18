import { reached } from '../options.js';
import { distributionOf } from './distribution.js';
import { removeBelow } from './ranked.js';

/**
 * Keeps the tokens with a probability of at least `epsilon`.
 *
 * @param scores `[V]`, changed in place
 * @param epsilon 0 keeps all
 * @param least the number of tokens that stay in any case
 * @see Hewitt et al. 2022, https://arxiv.org/abs/2210.15191
 */
export function keepEpsilon(scores: Float64Array, epsilon: number, least: number): void {
  if (epsilon === 0) return;
  const { largest, sum } = distributionOf(scores);
  removeBelow(scores, largest + Math.log(reached(epsilon) * sum), least);
}
