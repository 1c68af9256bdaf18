import { keyOf, philox } from '@headwise/core/internal';
import { distributionOf, probabilityOf } from './cutoffs/distribution.js';
import { ranked } from './cutoffs/ranked.js';
import { type CheckedSampling, checkedSampling, type SamplingOptions } from './options.js';
import type { RowTokens } from './penalties.js';
import { scoresToDraw } from './scored.js';

/** A token that may be drawn. */
export interface Candidate {
  id: number;
  probability: number;
}

/**
 * The tokens that may be drawn, best first, with probabilities that sum to 1.
 *
 * Penalties, temperature and cut-offs in the order of `SamplingOptions`, which is that of Hugging Face's `generate`. Of tokens
 * with the same score, those first in the vocabulary come first; top-k keeps all that score the same as its last one, top-p
 * the first of them.
 *
 * @param scores logits of one position, `[V]`; −∞ for what cannot be drawn
 * @param history the ids that penalties are for, each in [0, V); −1 is ignored
 * @param banned the ids that are not drawn
 * @throws InputError naming the first score that is NaN or +∞, or where all are −∞; for an id outside the vocabulary
 */
export function samplingCandidates(
  scores: ArrayLike<number>,
  options: SamplingOptions = {},
  history: Iterable<number> = [],
  banned: Iterable<number> = [],
): Candidate[] {
  const checked = checkedSampling(options);
  return candidatesOfRow('samplingCandidates', 0, scores, checked, { history, banned });
}

/** The same for a row of a batch, which errors name. */
export function candidatesOfRow(
  what: string,
  row: number,
  scores: ArrayLike<number>,
  options: CheckedSampling,
  tokens: RowTokens,
): Candidate[] {
  const kept = scoresToDraw(what, row, scores, options, tokens);
  if (options.temperature === 0) {
    const best = kept.reduce((best, score, id) => (score > kept[best]! ? id : best), 0);
    return [{ id: best, probability: 1 }];
  }
  const distribution = distributionOf(kept);
  return ranked(kept)
    .map((id) => ({ id, probability: probabilityOf(kept[id]!, distribution) }))
    .filter(({ probability }) => probability > 0);
}

/** Sets the draws of sampling apart from other uses of a key. */
export const samplingStream = 1;

/** Tokens whose numbers leave the same rest by this are drawn from together: the lanes of the shader. */
export const samplingGroups = 256;

/**
 * Draws one of the candidates: one random word finds its group, and another its place within it.
 *
 * @param row sets the draws of the rows of a batch apart
 */
export function drawCandidate(candidates: readonly Candidate[], seed: number, row: number): number {
  const words = Uint32Array.of(0, row, 0, samplingStream);
  philox(words, keyOf(seed));
  const groups: Candidate[][] = Array.from({ length: samplingGroups }, () => []);
  for (const candidate of candidates) groups[candidate.id % samplingGroups]!.push(candidate);
  const sums = groups.map((group) => group.reduce((sum, { probability }) => sum + probability, 0));
  const group = groups[placeOf(sums, words[0]!)]!.sort((a, b) => a.id - b.id);
  return group[
    placeOf(
      group.map(({ probability }) => probability),
      words[1]!,
    )
  ]!.id;
}

/** The first place at which a running sum exceeds a random part of the whole; the last weight if none does. */
function placeOf(weights: readonly number[], word: number): number {
  const target = (word >>> 8) * 2 ** -24 * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const place = weights.findIndex((weight) => {
    sum += weight;
    return sum > target;
  });
  return place >= 0 ? place : weights.findLastIndex((weight) => weight > 0);
}
