import * as tf from '@tensorflow/tfjs';

/** Layer norm in plain operations: the specification, and the path of other backends. */
export function layerNormReference(
  x: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor,
  epsilon: number,
): tf.Tensor {
  return tf.tidy(() => {
    const centered = x.sub(x.mean(-1, true));
    const variance = centered.square().mean(-1, true);
    return centered.mul(variance.add(epsilon).rsqrt()).mul(weight).add(bias);
  });
}
