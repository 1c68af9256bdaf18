import * as tf from '@tensorflow/tfjs';

/**
 * A tensor that is a constant to the gradient: nothing of its computation is kept for the backward pass.
 *
 * @param compute makes one tensor; what else it makes is disposed
 */
export function stopGradient<T extends tf.Tensor>(compute: () => T): T {
  const constant = tf.customGrad((given: unknown) => ({
    value: tf.tidy(compute),
    gradFunc: () => tf.zerosLike(given as tf.Tensor),
  }));
  return tf.tidy(() => constant(tf.scalar(0)) as T);
}
