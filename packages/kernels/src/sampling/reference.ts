import { keyOf, philox } from '../philox/philox.js';
import { checkedSampling, type SamplingOptions } from './options.js';

/** A token that may be drawn. */
export interface Candidate {
  id: number;
  /** The score after penalties and temperature. */
  score: number;
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
  return kept.map((weight, i) => {
    const id = order[i]!;
    return { id, score: scaled[id]!, probability: weight / total };
  });
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

/**
 * Draws one of the candidates by the Gumbel-max trick: `argmax(score_v − log E_v)`, where the `E_v` are
 * exponentially distributed, one random word each.
 *
 * @param row sets the draws of the rows of a batch apart
 * @see Maddison, Tarlow and Minka 2014, https://arxiv.org/abs/1411.0030
 */
export function drawCandidate(candidates: readonly Candidate[], seed: number, row: number): number {
  const words = new Uint32Array(4);
  let best = { id: candidates[0]!.id, value: Number.NEGATIVE_INFINITY };
  for (const { id, score } of candidates) {
    words.set([id >>> 2, row, 0, samplingStream]);
    philox(words, keyOf(seed));
    const uniform = Math.min((words[id & 3]! + 0.5) * 2 ** -32, 1 - 2 ** -24);
    const value = score - Math.log(-Math.log1p(-uniform));
    if (value > best.value || (value === best.value && id < best.id)) best = { id, value };
  }
  return best.id;
}
