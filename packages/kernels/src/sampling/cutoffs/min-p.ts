import { reached } from '../options.js';
import { removeBelow, scoreAt } from './ranked.js';

/**
 * Keeps the tokens at least `p` times as probable as the best.
 *
 * @param scores `[V]`, changed in place
 * @param p 0 keeps all
 * @param least the number of tokens that stay in any case
 * @see Nguyen et al. 2024, https://arxiv.org/abs/2407.01082
 */
export function keepMinP(scores: Float64Array, p: number, least: number): void {
  if (p > 0) removeBelow(scores, scoreAt(scores, 1) + Math.log(reached(p)), least);
}
