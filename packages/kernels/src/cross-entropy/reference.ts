import * as tf from '@tensorflow/tfjs';

/** Cross-entropy from one-hot labels in plain operations: the specification. */
export function crossEntropyReference(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  return tf.tidy(() =>
    tf.logSoftmax(logits).mul(tf.oneHot(labels.toInt(), logits.shape[1])).sum<tf.Tensor1D>(1).neg(),
  );
}
