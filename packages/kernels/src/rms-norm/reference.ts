import * as tf from '@tensorflow/tfjs';

/** RMS norm in plain operations: the specification, and the path of other backends. */
export function rmsNormReference(x: tf.Tensor, weight: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.tidy(() => {
    const meanSquare = x.square().mean(-1, true);
    return x.mul(meanSquare.add(epsilon).rsqrt()).mul(weight);
  });
}
