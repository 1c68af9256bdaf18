import type { ScoreKind } from './score.js';

/**
 * The scaled dot product, `q_i · k_j / √Dh`.
 *
 * @see Vaswani et al. 2017, §3.2.1, https://arxiv.org/abs/1706.03762
 */
export const scaledDotProductScore: ScoreKind = (_params, { headDim }) => ({
  name: 'scaled dot product',
  scale: 1 / Math.sqrt(headDim),
});
