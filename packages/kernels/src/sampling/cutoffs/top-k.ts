import { removeBelow, scoreAt } from './ranked.js';

/**
 * Keeps the `k` best tokens, and those that score the same as the last of them.
 *
 * @param scores `[V]`, changed in place
 * @param least the number of tokens that stay in any case
 * @see Fan et al. 2018, https://arxiv.org/abs/1805.04833
 */
export function keepTopK(scores: Float64Array, k: number, least: number): void {
  if (k < scores.length) removeBelow(scores, scoreAt(scores, Math.max(k, least)), 1);
}
