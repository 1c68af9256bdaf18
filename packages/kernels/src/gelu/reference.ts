import * as tf from '@tensorflow/tfjs';

/** GELU by its tanh approximation, in plain operations: the specification. */
export function geluTanhReference(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const inner = x.add(x.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    return x.mul(0.5).mul(inner.tanh().add(1));
  });
}

/** GELU by the error function, in plain operations: the specification. */
export function geluReference(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => x.mul(0.5).mul(x.div(Math.SQRT2).erf().add(1)));
}
