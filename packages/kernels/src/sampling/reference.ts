import { checkIdValues, vocabularyOf } from '../ids/space.js';
import { keyOf, philox } from '../philox/philox.js';
import { checkedSampling, reached, type SamplingOptions } from './options.js';
import { checkScores } from './scores.js';

/** A token that may be drawn. */
export interface Candidate {
  id: number;
  probability: number;
}

/**
 * The tokens that may be drawn, best first, with probabilities that sum to 1.
 *
 * Penalties, temperature, top-k, top-p, min-p, in this order, which is that of Hugging Face's
 * `generate`. Of tokens with the same score, those first in the vocabulary come first; top-k keeps all that
 * score the same as its last one, top-p the first of them.
 *
 * @param scores logits of one position, `[V]`; −∞ for what cannot be drawn
 * @param history the ids that penalties are for, each in [0, V); −1 is ignored
 * @param banned the ids that are not drawn
 * @throws InputError naming the first score that is NaN or +∞, or where all are −∞; for an id outside the vocabulary
 * @see Holtzman et al. 2020 (top-p), https://arxiv.org/abs/1904.09751;
 * Keskar et al. 2019 (repetition), https://arxiv.org/abs/1909.05858;
 * Nguyen et al. 2024 (min-p), https://arxiv.org/abs/2407.01082
 */
export function samplingCandidates(
  scores: ArrayLike<number>,
  options: SamplingOptions = {},
  history: Iterable<number> = [],
  banned: Iterable<number> = [],
): Candidate[] {
  return candidatesOfRow('samplingCandidates', 0, scores, options, history, banned);
}

/** The same for a row of a batch, which errors name. */
export function candidatesOfRow(
  what: string,
  row: number,
  scores: ArrayLike<number>,
  options: SamplingOptions,
  history: Iterable<number>,
  banned: Iterable<number>,
): Candidate[] {
  const { temperature, topK, topP, minP, ...penalties } = checkedSampling(options);
  const penalised = withPenalties(what, scores, penalties, history);
  for (const id of banned) {
    if (id >= 0 && id < penalised.length) penalised[id] = Number.NEGATIVE_INFINITY;
  }
  checkScores(what, penalised, row);
  const order = Array.from({ length: penalised.length }, (_, id) => id).sort(
    (a, b) => penalised[b]! - penalised[a]! || a - b,
  );
  const best = penalised[order[0]!]!;
  if (temperature === 0) return [{ id: order[0]!, probability: 1 }];
  const least = penalised[order[Math.min(topK, order.length) - 1]!]!;
  const stays = order.filter((id) => penalised[id]! >= least);
  // Relative to the best score, so that no temperature overflows.
  const weights = stays.map((id) => Math.exp((penalised[id]! - best) / temperature));
  const nucleus = weights.slice(0, nucleusSize(weights, topP));
  const kept = nucleus.filter((weight) => weight > 0 && weight >= reached(minP));
  const total = kept.reduce((sum, weight) => sum + weight, 0);
  return kept.map((weight, i) => ({ id: stays[i]!, probability: weight / total }));
}

type Penalties = Pick<
  Required<SamplingOptions>,
  'repetitionPenalty' | 'frequencyPenalty' | 'presencePenalty'
>;

function withPenalties(
  what: string,
  scores: ArrayLike<number>,
  { repetitionPenalty, frequencyPenalty, presencePenalty }: Penalties,
  history: Iterable<number>,
): number[] {
  const counts = new Map<number, number>();
  const ids = [...history];
  checkIdValues(ids, vocabularyOf(scores.length, `${what}: history: id`, -1));
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  counts.delete(-1);
  const penalised = Array.from(scores);
  for (const [id, count] of counts) {
    const score = penalised[id]!;
    const repeated = score > 0 ? score / repetitionPenalty : score * repetitionPenalty;
    penalised[id] = repeated - frequencyPenalty * count - presencePenalty;
  }
  return penalised;
}

/** The number of first weights whose part of the sum reaches `topP`; the one that reaches it included. */
function nucleusSize(weights: number[], topP: number): number {
  if (topP === 1) return weights.length;
  const wanted = reached(topP) * weights.reduce((sum, w) => sum + w, 0);
  let sum = 0;
  const end = weights.findIndex((weight) => {
    sum += weight;
    return sum >= wanted;
  });
  return end < 0 ? weights.length : end + 1;
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
