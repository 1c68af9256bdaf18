import * as tf from '@tensorflow/tfjs';

/**
 * `tf.grads` within the backward of another operation.
 *
 * TensorFlow.js ends a gradient by clearing its only tape, which is still needed by the one around it.
 */
export function nestedGradients(
  f: (...xs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  dy: tf.Tensor,
): tf.Tensor[] {
  const { state } = tf.engine();
  const tape = state.activeTape;
  try {
    return tf.grads(f)(inputs, dy);
  } finally {
    state.activeTape = tape;
  }
}
