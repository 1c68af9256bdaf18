import * as tf from '@tensorflow/tfjs';

/** How long all gradients together are, and how to shorten them. */
export interface Clipping {
  /** `√(Σ g²)` over all values of all tensors. */
  norm: tf.Scalar;
  /** `min(1, maxNorm / (norm + 1e-6))` */
  scale: tf.Scalar;
}

/** The norm of many tensors in plain operations: the specification, and the path of other backends. */
export function globalNormReference(tensors: readonly tf.Tensor[], maxNorm: number): Clipping {
  return tf.tidy(() => {
    const norm = tf
      .stack(tensors.map((g) => g.square().sum()))
      .sum()
      .sqrt() as tf.Scalar;
    const scale =
      maxNorm === Number.POSITIVE_INFINITY
        ? tf.scalar(1)
        : (tf.minimum(1, tf.div(maxNorm, norm.add(1e-6))) as tf.Scalar);
    return { norm, scale };
  });
}
