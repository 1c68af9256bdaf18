import { keepEpsilon } from './cutoffs/epsilon.js';
import { keepEta } from './cutoffs/eta.js';
import { keepMinP } from './cutoffs/min-p.js';
import { keepTopK } from './cutoffs/top-k.js';
import { keepWithinSigma } from './cutoffs/top-n-sigma.js';
import { keepTopP } from './cutoffs/top-p.js';
import { keepTypical } from './cutoffs/typical.js';
import type { CheckedSampling } from './options.js';
import { adjustTokens, type RowTokens } from './penalties.js';
import { checkScores } from './scores.js';

/**
 * Divides scores by the temperature and removes what the cut-offs leave out, whose scores become −∞, in place.
 *
 * The order is that of Hugging Face's `generate`: temperature, top-n-σ, top-k, top-p, min-p, typical, ε, η.
 *
 * @param scores `[V]`
 * @param least the number of tokens that top-k, top-p, min-p, typical, ε and η keep in any case
 */
export function cutOff(scores: Float64Array, options: CheckedSampling, least = 1): void {
  for (let id = 0; id < scores.length; id++) scores[id]! /= options.temperature;
  keepWithinSigma(scores, options.topNSigma);
  keepTopK(scores, options.topK, least);
  keepTopP(scores, options.topP, least);
  keepMinP(scores, options.minP, least);
  keepTypical(scores, options.typicalP, least);
  keepEpsilon(scores, options.epsilonCutoff, least);
  keepEta(scores, options.etaCutoff, least);
}

/**
 * The scores that tokens are drawn by: adjusted, divided by the temperature, and −∞ where a cut-off removes a token.
 *
 * At temperature 0 nothing is divided or removed: the best token is taken.
 *
 * @param what who asks, for errors
 * @param row of a batch, for errors
 * @param scores logits of one position, `[V]`; −∞ for what cannot be drawn
 * @param least the number of tokens that cut-offs keep in any case, but for top-n-σ
 * @throws InputError naming the first score that is NaN or +∞, or where all are −∞; for an id outside the vocabulary
 */
export function scoresToDraw(
  what: string,
  row: number,
  scores: ArrayLike<number>,
  options: CheckedSampling,
  tokens: RowTokens = {},
  least = 1,
): Float64Array {
  const changed = Float64Array.from(scores);
  adjustTokens(what, changed, options, tokens);
  checkScores(what, changed, row);
  if (options.temperature > 0) cutOff(changed, options, least);
  return changed;
}
