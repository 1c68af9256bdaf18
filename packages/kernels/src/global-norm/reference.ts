import * as tf from '@tensorflow/tfjs';

/** How long all gradients together are, and how to shorten them. */
export interface Clipping {
  /** `√(Σ (f g)²)` over all values of all tensors, where f is the factor. */
  norm: tf.Scalar;
  /** `f min(1, maxNorm / (norm + 1e-6))`: multiplied by it, the tensors are clipped. */
  scale: tf.Scalar;
}

/** The norm of many tensors in plain operations: the specification, and the path of other backends. */
export function globalNormReference(
  tensors: readonly tf.Tensor[],
  maxNorm: number,
  factor: number,
): Clipping {
  return tf.tidy(() => {
    const norm = tf
      .stack(tensors.map((g) => g.mul(factor).square().sum()))
      .sum()
      .sqrt() as tf.Scalar;
    const scale =
      maxNorm === Number.POSITIVE_INFINITY
        ? tf.scalar(factor)
        : (tf.minimum(1, tf.div(maxNorm, norm.add(1e-6))).mul(factor) as tf.Scalar);
    return { norm, scale };
  });
}
