import * as tf from '@tensorflow/tfjs';

/**
 * Classifier-free guidance: `u + scale (c − u)`, `c` and `u` the log-probabilities with the prompt and with the negative one.
 *
 * @param scores `[B, V]`, after the prompt
 * @param unconditional `[B, V]`, after the negative prompt
 * @param scale of all, or of each, `[B, 1]`
 * @see Sanchez et al. 2023, https://arxiv.org/abs/2306.17806
 */
export function guided(
  scores: tf.Tensor2D,
  unconditional: tf.Tensor2D,
  scale: number | tf.Tensor2D,
): tf.Tensor2D {
  return tf.tidy(() => {
    const u = tf.logSoftmax(unconditional);
    return tf.logSoftmax(scores).sub(u).mul(scale).add(u);
  });
}
