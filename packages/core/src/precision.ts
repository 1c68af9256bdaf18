/** The names of the precisions of a linear map's products. */
export const precisions = ['float32', 'mixed'] as const;

/**
 * The precision of the products of linear maps.
 *
 * `float32`: everything is float32. `mixed`: the operands of the products, and the tensors that linear maps keep for the backward pass, are
 * rounded to float16; sums, weights and all other operations are float32.
 *
 * @see Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740
 */
export type Precision = (typeof precisions)[number];
