import * as tf from '@tensorflow/tfjs';
import type { CrossEntropyOptions } from './options.js';

/** Cross-entropy from one-hot labels in plain operations: the specification. */
export function crossEntropyReference(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  { labelSmoothing = 0, ignoreIndex = -100, zLoss = 0 }: CrossEntropyOptions = {},
): tf.Tensor1D {
  return tf.tidy(() => {
    const vocabulary = logits.shape[1];
    const counted = tf.notEqual(labels, ignoreIndex).toFloat(); // [N]
    const onehot = tf.equal(labels.expandDims(1), tf.range(0, vocabulary, 1, 'int32')).toFloat(); // [N, V]
    const target = onehot.mul(1 - labelSmoothing).add(labelSmoothing / vocabulary);
    const loss = tf.logSoftmax(logits).mul(target).sum(1).neg();
    return loss.add(tf.logSumExp(logits, 1).square().mul(zLoss)).mul(counted) as tf.Tensor1D;
  });
}
