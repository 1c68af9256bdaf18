/** What the products of linear maps can be computed in. */
export const precisions = ['float32', 'mixed'] as const;

/**
 * What the products of linear maps are computed in: float32, or `mixed`, where their operands and what they keep for the
 * backward pass are rounded to float16, and sums, weights and all else are float32.
 *
 * @see Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740
 */
export type Precision = (typeof precisions)[number];
