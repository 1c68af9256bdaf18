import { keyOf, philox } from '../philox/philox.js';
import { checkedSampling, type SamplingOptions } from './options.js';

/** A token that may be drawn. */
export interface Candidate {
  id: number;
  probability: number;
}

/**
 * The tokens that may be drawn, best first, with probabilities that sum to 1.
 *
 * Penalties, temperature, top-k, top-p, min-p, in this order, which is that of Hugging Face's
 * `generate`. Of tokens with the same score, those first in the vocabulary stay first.
 *
 * @param scores logits of one position, `[V]`
 * @param history the ids that penalties are for
 * @see Holtzman et al. 2020 (top-p), https://arxiv.org/abs/1904.09751;
 * Keskar et al. 2019 (repetition), https://arxiv.org/abs/1909.05858;
 * Nguyen et al. 2024 (min-p), https://arxiv.org/abs/2407.01082
 */
export function samplingCandidates(
  scores: ArrayLike<number>,
  options: SamplingOptions = {},
  history: Iterable<number> = [],
): Candidate[] {
  const { temperature, topK, topP, minP, ...penalties } = checkedSampling(options);
  const penalised = withPenalties(scores, penalties, history);
  const scaled = temperature > 0 ? penalised.map((score) => score / temperature) : penalised;
  const order = Array.from({ length: scaled.length }, (_, id) => id)
    .sort((a, b) => scaled[b]! - scaled[a]! || a - b)
    .slice(0, temperature === 0 ? 1 : Math.min(topK, scaled.length));
  const best = scaled[order[0]!]!;
  const weights = order.map((id) => (scaled[id] === best ? 1 : Math.exp(scaled[id]! - best)));
  const nucleus = weights.slice(0, nucleusSize(weights, topP));
  const kept = nucleus.filter((weight) => weight >= minP);
  const total = kept.reduce((sum, weight) => sum + weight, 0);
  return kept.map((weight, i) => ({ id: order[i]!, probability: weight / total }));
}

type Penalties = Pick<
  Required<SamplingOptions>,
  'repetitionPenalty' | 'frequencyPenalty' | 'presencePenalty'
>;

function withPenalties(
  scores: ArrayLike<number>,
  { repetitionPenalty, frequencyPenalty, presencePenalty }: Penalties,
  history: Iterable<number>,
): number[] {
  const counts = new Map<number, number>();
  for (const id of history) counts.set(id, (counts.get(id) ?? 0) + 1);
  const penalised = Array.from(scores);
  for (const [id, count] of counts) {
    const score = penalised[id];
    if (score === undefined) continue;
    const repeated = score > 0 ? score / repetitionPenalty : score * repetitionPenalty;
    penalised[id] = repeated - frequencyPenalty * count - presencePenalty;
  }
  return penalised;
}

/** The number of first weights whose part of the sum reaches `topP`; the one that reaches it included. */
function nucleusSize(weights: number[], topP: number): number {
  if (topP === 1) return weights.length;
  const wanted = topP * weights.reduce((sum, w) => sum + w, 0);
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
