import { sparseCrossEntropy } from '@headwise/kernels';
import type * as tf from '@tensorflow/tfjs';

/** The mean over the labels that are not −100. */
export const crossEntropy = (
  logits: tf.Tensor,
  labels: tf.Tensor,
  labelSmoothing = 0,
): tf.Scalar => {
  const rows = logits.reshape<tf.Tensor2D>([-1, logits.shape.at(-1)!]);
  const flat = labels.reshape<tf.Tensor1D>([-1]);
  const counted = flat.notEqual(-100).toFloat().sum();
  return sparseCrossEntropy(rows, flat, { labelSmoothing }).sum().div(counted);
};
