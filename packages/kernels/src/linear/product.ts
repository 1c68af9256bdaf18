import * as tf from '@tensorflow/tfjs';
import { hasKernel, runKernel } from '../dispatch/register.js';

/**
 * A product of two matrices, either of them transposed first; it has no gradient of its own on WebGPU.
 *
 * The wasm backend multiplies plain matrices with XNNPACK and all others with a naive loop: there a
 * transposed copy is ten to twenty times faster (see this folder's README).
 *
 * @param a `[M, K]`, or `[K, M]` if transposed
 * @param b `[K, N]`, or `[N, K]` if transposed
 * @returns `[M, N]`
 */
export function product(
  a: tf.Tensor2D,
  b: tf.Tensor2D,
  transposeA = false,
  transposeB = false,
): tf.Tensor2D {
  if (hasKernel('headwise/MatrixProduct')) {
    const attributes = { transposeA, transposeB };
    return tf.tidy(
      () => runKernel('headwise/MatrixProduct', { a, b }, attributes)[0] as tf.Tensor2D,
    );
  }
  if (tf.getBackend() !== 'wasm') return tf.matMul(a, b, transposeA, transposeB);
  return tf.tidy(() =>
    tf.matMul<tf.Tensor2D>(transposeA ? a.transpose() : a, transposeB ? b.transpose() : b),
  );
}
