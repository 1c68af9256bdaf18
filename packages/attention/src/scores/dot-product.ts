import type { ScoreKind } from './score.js';

/**
 * The dot product, `q_i · k_j`.
 *
 * @see Luong, Pham and Manning 2015, https://arxiv.org/abs/1508.04025
 */
export const dotProductScore: ScoreKind = () => ({ name: 'dot product', scale: 1 });
