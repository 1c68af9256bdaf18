import * as tf from '@tensorflow/tfjs';
import type { CrossEntropyOptions } from '../cross-entropy/options.js';
import { crossEntropyReference } from '../cross-entropy/reference.js';

/** The mean cross-entropy of a linear head from the whole logits: the specification. */
export function chunkedCrossEntropyReference(
  hidden: tf.Tensor2D,
  weight: tf.Tensor2D,
  labels: tf.Tensor1D,
  options: CrossEntropyOptions = {},
): tf.Scalar {
  return tf.tidy(() => {
    const logits = tf.matMul<tf.Tensor2D>(hidden, weight, false, true);
    const counted = tf.notEqual(labels, options.ignoreIndex ?? -100).toFloat();
    const losses = crossEntropyReference(logits, labels, options);
    return losses.sum().div(tf.maximum(counted.sum(), 1)) as tf.Scalar;
  });
}
