import { refuse } from '@headwise/core/internal';
import { b, FloatExpression, h, type IntExpression, k, q } from './expression/expression.js';
import { variable } from './expression/node.js';
import type { Mask } from './masks/mask.js';

/** A score from another one and from the places of the pair that it belongs to. */
export type ScoreFunction = (
  score: FloatExpression,
  b: IntExpression,
  h: IntExpression,
  q: IntExpression,
  k: IntExpression,
) => FloatExpression;

/** Changes scores between the scaled product and the softmax. */
export interface ScoreMod {
  readonly of: ScoreFunction;
}

/**
 * A change of scores, written as an expression of the score, the batch row, the head, the place of the query
 * and that of the key; the last query stands at the last key.
 *
 * It becomes a part of the fused kernels, forward and backward, and plain operations elsewhere.
 *
 * @throws InputError for what is not a function; where it is used, if the function does not return an expression
 * @see Dong et al. 2024, FlexAttention, https://arxiv.org/abs/2412.05496
 * @example const softCap = scoreMod((score) => score.div(30).tanh().mul(30));
 */
export function scoreMod(of: ScoreFunction): ScoreMod {
  if (typeof of !== 'function') refuse('scoreMod: the argument', of, 'a function of the score');
  return {
    of(...places) {
      const score = of(...places);
      if (score?.node?.type === 'float') return score;
      refuse('scoreMod: what the function returns', score, 'a score, such as score.mul(2)');
    },
  };
}

/** The scaled product, before anything is done to it. */
const product = new FloatExpression(variable('score'));

/** What all mods make of a score, in their order, and then what a mask adds; undefined: nothing. */
export function modified(mods: readonly ScoreMod[], { bias }: Mask): FloatExpression | undefined {
  if (mods.length === 0 && !bias) return undefined;
  const score = mods.reduce((score, mod) => mod.of(score, b, h, q, k), product);
  return bias ? score.add(bias) : score;
}
