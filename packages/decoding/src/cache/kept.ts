import * as tf from '@tensorflow/tfjs';

/** Makes a tensor that outlives every `tf.tidy`; the caller disposes it. */
export function kept<T extends tf.Tensor>(make: () => T): T {
  return tf.tidy(() => tf.keep(make()));
}
