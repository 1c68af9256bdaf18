import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { flatChunks } from '../dispatch/flat.js';
import { runKernel } from '../dispatch/register.js';
import { copyValues, packing, scratch, smallChunkSize } from '../dispatch/transfer.js';
import type { Clipping } from './reference.js';
import { sumsOf } from './webgpu.js';

/**
 * The global norm by WebGPU kernels: tensors are copied side by side, chunk by chunk.
 *
 * @param most values of a chunk at most; default `smallChunkSize`
 */
export function flatGlobalNorm(
  tensors: readonly tf.Tensor[],
  maxNorm: number,
  factor = 1,
  most?: number,
): Clipping {
  return tf.tidy(() => {
    const backend = tf.backend() as WebGPUBackend;
    const sizes = tensors.map(({ size }) => size);
    const total = sizes.reduce((a, b) => a + b);
    const chunks = flatChunks(sizes, most ?? smallChunkSize(backend, total));
    const counts = chunks.map(({ size }) => sumsOf(size));
    const sums = scratch(backend, [counts.reduce((a, b) => a + b)]);
    let place = 0;
    chunks.forEach(({ size, pieces }, i) => {
      tf.tidy(() => {
        const values = scratch(backend, [size]);
        copyValues(backend, packing(pieces, tensors, values));
        runKernel('headwise/SquareSums', { values, sums }, { place, factor });
      });
      place += counts[i]!;
    });
    const [norm, scale] = runKernel('headwise/Clip', { sums }, { maxNorm, factor });
    return { norm: norm as tf.Scalar, scale: scale as tf.Scalar };
  });
}
