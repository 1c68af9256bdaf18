import * as tf from '@tensorflow/tfjs';
import { product } from '../../linear/product.js';

/** The iteration that makes a matrix nearly orthogonal. */
export interface NewtonSchulz {
  /** Of `aX + (bA + cA²)X`. */
  coefficients: readonly [a: number, b: number, c: number];
  iterations: number;
  /** The least that the norm is taken for. */
  epsilon: number;
}

/**
 * A matrix with its singular values moved near 1, in plain operations: the specification.
 *
 * `X ← X / max(‖X‖_F, ε)`, then `X ← aX + (bA + cA²)X` with `A = XXᵀ`, of the orientation with fewer rows than columns.
 *
 * @see Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/
 */
export function orthogonalised(x: tf.Tensor2D, options: NewtonSchulz): tf.Tensor2D {
  const { coefficients, iterations, epsilon } = options;
  const [a, b, c] = coefficients;
  return tf.tidy(() => {
    const tall = x.shape[0] > x.shape[1];
    const wide = tall ? x.transpose<tf.Tensor2D>() : x;
    let y: tf.Tensor2D = wide.div(wide.square().sum().sqrt().maximum(epsilon));
    for (let i = 0; i < iterations; i++) {
      const gram = product(y, y, false, true);
      const mixed: tf.Tensor2D = gram.mul(b).add(product(gram, gram).mul(c));
      y = y.mul(a).add(product(mixed, y));
    }
    return tall ? y.transpose<tf.Tensor2D>() : y;
  });
}
