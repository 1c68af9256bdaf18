import * as tf from '@tensorflow/tfjs';
import { crossEntropyReference } from '../cross-entropy/reference.js';
import type { ChunkedCrossEntropyOptions } from './options.js';

/** The mean cross-entropy of a linear head from the whole logits: the specification. */
export function chunkedCrossEntropyReference(
  hidden: tf.Tensor2D,
  weight: tf.Tensor2D,
  labels: tf.Tensor1D,
  { bias, softCap, ...options }: ChunkedCrossEntropyOptions = {},
): tf.Scalar {
  return tf.tidy(() => {
    const products = tf.matMul<tf.Tensor2D>(hidden, weight, false, true);
    const scores = bias ? products.add<tf.Tensor2D>(bias) : products;
    const logits =
      softCap === undefined ? scores : scores.div(softCap).tanh().mul<tf.Tensor2D>(softCap);
    const counted = tf.notEqual(labels, options.ignoreIndex ?? -100).toFloat();
    const losses = crossEntropyReference(logits, labels, options);
    return losses.sum().div(tf.maximum(counted.sum(), 1)) as tf.Scalar;
  });
}
