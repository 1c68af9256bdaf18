import { reached } from '../options.js';
import { distributionOf, probabilityOf } from './distribution.js';
import { ranked } from './ranked.js';

/**
 * Keeps the fewest most typical tokens whose probabilities sum to at least `p`: those whose information `−log p` is nearest to the
 * entropy, and those as near as the last of them.
 *
 * @param scores `[V]`, changed in place
 * @param p 1 keeps all
 * @param least the number of tokens that stay in any case
 * @see Meister et al. 2023, https://arxiv.org/abs/2202.00666
 */
export function keepTypical(scores: Float64Array, p: number, least: number): void {
  if (p === 1) return;
  const distribution = distributionOf(scores);
  const { largest, sum: weights, entropy } = distribution;
  const expected = entropy - Math.log(weights);
  const distance = (id: number) => Math.abs(largest - scores[id]! - expected);
  const order = ranked(scores).sort((a, b) => distance(a) - distance(b));
  let sum = 0;
  const last = order.findIndex((id) => {
    sum += probabilityOf(scores[id]!, distribution);
    return sum >= reached(p);
  });
  if (last < 0) return;
  const farthest = distance(order[last]!);
  for (const [place, id] of order.entries()) {
    if (place >= least && distance(id) > farthest) scores[id] = Number.NEGATIVE_INFINITY;
  }
}
