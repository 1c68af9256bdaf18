import { checkIdValues, scoresToDraw, vocabularyOf } from '@headwise/kernels/internal';
import { adjustmentsAfter, forcedAfter } from './adjustments.js';
import type { GenerateOptions } from './options.js';
import { type Plan, planOf } from './plan.js';

/**
 * The scores that the next token is drawn by: after all penalties, restrictions, the temperature and cut-offs, in the order of
 * Hugging Face's `generate`. −∞ stands for a token that is not drawn.
 *
 * Guidance and processors of one's own come before it. At temperature 0, greedy decoding, nothing is divided or cut off.
 *
 * @param scores of the model, `[V]`
 * @param sequence prompt and new tokens
 * @param promptLength how many of them are the prompt
 * @returns `[V]`
 * @throws InputError for options out of range, scores that are NaN or +∞, and where nothing can be drawn
 * @example
 * processScores([2, 1, 0, 0], [0], 1, { topK: 2, suppressIds: [0] }); // [−∞, 1, 0, 0]: equal scores stay
 */
export function processScores(
  scores: ArrayLike<number>,
  sequence: readonly number[],
  promptLength: number,
  options: GenerateOptions,
): Float64Array {
  checkIdValues(sequence, vocabularyOf(scores.length));
  const plan = planOf({ vocabSize: scores.length }, sequence.slice(0, promptLength), options);
  return processed(plan, scores, sequence, sequence.length - promptLength);
}

/** The same with a plan. @param made the number of new tokens @param least the number of tokens that cut-offs keep */
export function processed(
  plan: Plan,
  scores: ArrayLike<number>,
  sequence: readonly number[],
  made: number,
  least = 1,
): Float64Array {
  const { bias, banned, allowed, raise } = adjustmentsAfter(plan, sequence, made);
  const forced = forcedAfter(plan, sequence, made);
  if (forced) {
    const row = new Float64Array(scores.length).fill(Number.NEGATIVE_INFINITY);
    for (const id of forced) row[id] = 0;
    return scoresToDraw(
      'processScores',
      0,
      row,
      plan.sampling,
      { banned: plan.suppressIds },
      least,
    );
  }
  const dense = new Float64Array(scores.length);
  for (const [id, value] of bias) dense[id] = value;
  const tokens = {
    bias: dense,
    source: plan.source,
    history: sequence,
    banned,
    allowed,
    raised: { ids: plan.stopIds, factor: raise },
  };
  return scoresToDraw('processScores', 0, scores, plan.sampling, tokens, least);
}
