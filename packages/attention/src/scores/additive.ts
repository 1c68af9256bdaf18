import { initializers, type ParamStore } from '@headwise/core';
import type { AdditiveActivation } from '@headwise/kernels';
import { additiveTerm } from '@headwise/kernels/internal';
import type { HeadSizes } from '../heads.js';
import type { Score, ScoreKind } from './score.js';

/**
 * Bahdanau's additive score, `v · tanh(W_q x_i + W_k y_j)`, with the layer's projections as `W_q` and `W_k`.
 *
 * Parameters: `v` `[H, Dh]`. Queries go by the chunk; memory grows with T.
 *
 * @see Bahdanau, Cho and Bengio 2015, https://arxiv.org/abs/1409.0473
 */
export const additiveScore: ScoreKind = (params, sizes) => ({
  ...sumScore(params, sizes, 'v', 'tanh'),
  name: 'additive',
});

/**
 * Additive score without maps of its own: `w · f(q_i + k_j)`, where f is the identity or an activation.
 *
 * Parameters: `w` `[H, Dh]`. Without an activation the query's part is the same for all keys, and vanishes in the
 * softmax.
 */
export const plainAdditiveScore =
  (activation: AdditiveActivation = 'none'): ScoreKind =>
  (params, sizes) => ({
    ...sumScore(params, sizes, 'w', activation),
    name: `plain additive, ${activation}`,
  });

function sumScore(
  params: ParamStore,
  { heads, headDim }: HeadSizes,
  name: string,
  activation: AdditiveActivation,
): Omit<Score, 'name'> {
  const weight = params.get(name, [heads, headDim], initializers.glorotUniform);
  return { scale: undefined, term: additiveTerm(weight, activation) };
}
