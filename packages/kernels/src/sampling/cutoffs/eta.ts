import { reached } from '../options.js';
import { distributionOf } from './distribution.js';
import { removeBelow } from './ranked.js';

/**
 * Keeps the tokens with a probability of at least `min(η, √η exp(−entropy))`.
 *
 * @param scores `[V]`, changed in place
 * @param eta 0 keeps all
 * @param least the number of tokens that stay in any case
 * @see Hewitt et al. 2022, https://arxiv.org/abs/2210.15191
 */
export function keepEta(scores: Float64Array, eta: number, least: number): void {
  if (eta === 0) return;
  const { largest, sum, entropy } = distributionOf(scores);
  const bound = Math.min(eta, Math.sqrt(eta) * Math.exp(-entropy));
  removeBelow(scores, largest + Math.log(reached(bound) * sum), least);
}
