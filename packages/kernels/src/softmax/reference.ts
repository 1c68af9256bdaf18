import * as tf from '@tensorflow/tfjs';

/** Softmax of the last axis in plain operations: the specification, and the path of other backends. */
export function softmaxReference(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.softmax(x.rank === 0 ? x.reshape([1]) : x).reshape(x.shape));
}
