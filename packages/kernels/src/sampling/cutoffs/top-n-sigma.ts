import { reached } from '../options.js';
import { removeBelow } from './ranked.js';

/**
 * Keeps the tokens that score within `n` standard deviations of the best: `score ≥ largest − n σ`, σ over all that can be drawn.
 *
 * @param scores `[V]`, changed in place
 * @param n 0 keeps all
 * @see Tang et al. 2024, https://arxiv.org/abs/2411.07641
 */
export function keepWithinSigma(scores: Float64Array, n: number): void {
  if (n === 0) return;
  const finite = scores.filter((score) => score > Number.NEGATIVE_INFINITY);
  const mean = finite.reduce((sum, score) => sum + score, 0) / finite.length;
  const variance = finite.reduce((sum, score) => sum + (score - mean) ** 2, 0) / finite.length;
  const largest = finite.reduce((best, score) => Math.max(best, score));
  removeBelow(scores, largest - (n * Math.sqrt(variance)) / reached(1), 1);
}
