import { InputError, type Random } from '@headwise/core';

/** How the next token is drawn from a model's scores. */
export interface SamplingOptions {
  /** Divides the scores; 0 takes the best token, 1 (default) leaves them, more is bolder. */
  temperature?: number;
  /** Only this many best tokens stay; default all. */
  topK?: number;
  /** Only the fewest best tokens that together have this probability stay; default 1, all. */
  topP?: number;
}

/**
 * Throws unless every option is in its range.
 *
 * @throws InputError naming the option, its value and its range
 */
export function checkSampling({ temperature = 1, topK, topP = 1 }: SamplingOptions): void {
  if (!(temperature >= 0 && Number.isFinite(temperature))) {
    throw new InputError(`temperature is ${temperature}; expected a number of at least 0`);
  }
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1)) {
    throw new InputError(`topK is ${topK}; expected a whole number of at least 1`);
  }
  if (!(topP > 0 && topP <= 1)) throw new InputError(`topP is ${topP}; expected 0 < topP ≤ 1`);
}

/** The place of the largest score; the first of equals. */
export function argmax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}

/** A token that may be drawn. */
export interface Candidate {
  id: number;
  probability: number;
}

/**
 * The tokens that may be drawn, best first, with probabilities that sum to 1.
 *
 * Temperature first, then top-k, then top-p, as Hugging Face's `generate` orders them. A token that
 * ties with the last one kept by top-k is kept only if it comes first in the vocabulary.
 *
 * @see Holtzman et al. 2020 (top-p), https://arxiv.org/abs/1904.09751
 */
export function candidates(scores: ArrayLike<number>, options: SamplingOptions = {}): Candidate[] {
  checkSampling(options);
  const { temperature = 1, topK = scores.length, topP = 1 } = options;
  if (temperature === 0) return [{ id: argmax(scores), probability: 1 }];
  const order = Array.from({ length: scores.length }, (_, id) => id)
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, topK);
  const best = scores[order[0]!]!;
  const weights = order.map((id) => Math.exp((scores[id]! - best) / temperature));
  const kept = nucleus(weights, topP);
  const total = kept.reduce((sum, w) => sum + w, 0);
  return kept.map((weight, i) => ({ id: order[i]!, probability: weight / total }));
}

/** The fewest first weights whose part of the sum reaches `topP`; the one that reaches it included. */
function nucleus(weights: number[], topP: number): number[] {
  if (topP === 1) return weights;
  const wanted = topP * weights.reduce((sum, w) => sum + w, 0);
  let sum = 0;
  const end = weights.findIndex((weight) => {
    sum += weight;
    return sum >= wanted;
  });
  return end < 0 ? weights : weights.slice(0, end + 1);
}

/**
 * Draws the next token.
 *
 * @param scores logits of one position, `[V]`
 */
export function sample(
  scores: ArrayLike<number>,
  options: SamplingOptions,
  random: Random,
): number {
  const drawn = candidates(scores, options);
  let rest = random.next();
  for (const { id, probability } of drawn) {
    rest -= probability;
    if (rest < 0) return id;
  }
  // Rounding may leave a last sliver.
  return drawn.at(-1)!.id;
}
