import { InputError } from '@headwise/core';
import { type Matrix, stopGradient } from '@headwise/core/internal';
import { PackedWeight } from '@headwise/kernels';
import { unpackWeight } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

/** A low-rank update of a weight: `scale · (B A)ᵀ`. */
export interface LowRank {
  /** `[r, in]` */
  readonly a: tf.Tensor2D;
  /** `[out, r]` */
  readonly b: tf.Tensor2D;
  readonly scale: number;
}

/** The update as a matrix that lies as its weight does. */
export const updateOf = (
  { a, b, scale }: LowRank,
  { layout }: Pick<Matrix, 'layout'>,
): tf.Tensor2D =>
  tf.tidy(() => (layout === 'in-out' ? tf.matMul(a, b, true, true) : tf.matMul(b, a)).mul(scale));

/**
 * The norm of what each output sums, `‖W + ΔW‖`: a constant to the gradient, as DoRA has it (section 4.3).
 *
 * @param copy takes the place of the matrix's own weight
 * @returns `[out]`
 * @see Liu et al. 2024, https://arxiv.org/abs/2402.09353
 */
export function outputNorms(
  path: string,
  matrix: Matrix,
  update?: LowRank,
  copy?: tf.Tensor,
): tf.Tensor1D {
  return stopGradient(() => {
    const { weight, layout } = weightOf(path, matrix, copy);
    const whole = update ? weight.add(updateOf(update, { layout })) : weight;
    return tf.norm(whole, 'euclidean', layout === 'in-out' ? 0 : 1) as tf.Tensor1D;
  });
}

/** `[out]` as a factor of a weight. */
export const byOutput = (factors: tf.Tensor1D, { layout }: Pick<Matrix, 'layout'>): tf.Tensor2D =>
  factors.reshape(layout === 'in-out' ? [1, -1] : [-1, 1]);

/** A weight in float32, packed ones unpacked, and how it lies then. */
function weightOf(path: string, { variable, packed, layout }: Matrix, copy: tf.Tensor | undefined) {
  const weight = copy ?? variable;
  if (weight) return { weight, layout };
  if (packed instanceof PackedWeight) {
    return { weight: unpackWeight(packed), layout: 'in-out' as const };
  }
  throw new InputError(
    `LoRA: the weight of '${path}' is packed by something else than weightPacking`,
  );
}
