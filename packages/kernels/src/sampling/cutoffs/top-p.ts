import { reached } from '../options.js';
import { distributionOf, probabilityOf } from './distribution.js';
import { ranked } from './ranked.js';

/**
 * Keeps the fewest best tokens whose probabilities sum to at least `p`; of equal scores the first in the vocabulary.
 *
 * @param scores `[V]`, changed in place
 * @param p 1 keeps all
 * @param least the number of tokens that stay in any case
 * @see Holtzman et al. 2020, https://arxiv.org/abs/1904.09751
 */
export function keepTopP(scores: Float64Array, p: number, least: number): void {
  if (p === 1) return;
  const distribution = distributionOf(scores);
  let sum = 0;
  for (const [place, id] of ranked(scores).entries()) {
    const probability = probabilityOf(scores[id]!, distribution);
    if (sum >= reached(p) && place >= least) scores[id] = Number.NEGATIVE_INFINITY;
    sum += probability;
  }
}
