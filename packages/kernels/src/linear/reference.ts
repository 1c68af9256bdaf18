import * as tf from '@tensorflow/tfjs';
import type { WeightLayout } from './index.js';

/** A linear map of rows in plain operations: the specification. */
export function linearReference(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D | undefined,
  layout: WeightLayout,
): tf.Tensor {
  const y = tf.matMul(x, weight, false, layout === 'out-in');
  return bias ? tf.add(y, bias) : y;
}
