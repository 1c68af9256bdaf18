import * as tf from '@tensorflow/tfjs';
import type { Clipping } from './index.js';

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
