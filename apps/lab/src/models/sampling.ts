import { candidates } from '@headwise/generation';
import type { NextScores } from '../worker/writing.js';

/** How the next token is drawn. */
export interface Sampling {
  temperature: number;
  /** 0 for all. */
  topK: number;
  topP: number;
}

/** A token that could come next. */
export interface Bar {
  id: number;
  text: string;
  /** As the model has it. */
  before: number;
  /** With temperature and cuts; 0 where it is cut off. */
  after: number;
}

/** What temperature, top-k and top-p make of the probabilities, for the best tokens. */
export function bars(
  { tokens, scores, logSum }: NextScores,
  sampling: Sampling,
  most: number,
): Bar[] {
  const { temperature, topK, topP } = sampling;
  // What is not sent is too unlikely to be drawn, but for the sum it counts as one more token.
  const all = withRest(scores, logSum);
  // Scores are rounded: a sum that only rounding keeps from top-p has reached it.
  const reached = topP * (1 - 1e-6);
  const kept = candidates(all, {
    temperature,
    topP: topP === 1 ? 1 : reached,
    ...(topK > 0 ? { topK } : {}),
  });
  const after = new Map(kept.map(({ id, probability }) => [id, probability]));
  return tokens.slice(0, most).map(({ id, text }, i) => ({
    id,
    text,
    before: Math.exp(scores[i]! - logSum),
    after: after.get(i) ?? 0,
  }));
}

/** The scores with one more that stands for all tokens that were not sent. */
function withRest(scores: Float32Array, logSum: number): number[] {
  const sent = scores.reduce((sum, score) => sum + Math.exp(score - logSum), 0);
  const rest = 1 - sent;
  return rest > 1e-6 ? [...scores, Math.log(rest) + logSum] : [...scores];
}
