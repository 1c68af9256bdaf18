import * as tf from '@tensorflow/tfjs';

/** The Euclidean norm of all gradients taken as one vector, `√(Σ g²)`; a scalar. */
export function globalNorm(gradients: Readonly<Record<string, tf.Tensor>>): tf.Scalar {
  return tf.tidy(() => {
    const squares = Object.values(gradients).map((g) => g.square().sum());
    return tf.stack(squares).sum().sqrt() as tf.Scalar;
  });
}

/**
 * What to multiply gradients by so that their norm is at most `maxNorm`: `min(1, maxNorm / (norm + 1e-6))`.
 *
 * @see Pascanu, Mikolov and Bengio 2013, https://arxiv.org/abs/1211.5063; the 1e-6 is PyTorch's
 */
export function clipScale(norm: tf.Scalar, maxNorm: number): tf.Scalar {
  return tf.tidy(() => tf.minimum(1, tf.div(maxNorm, norm.add(1e-6))) as tf.Scalar);
}
