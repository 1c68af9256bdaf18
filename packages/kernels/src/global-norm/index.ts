import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { checkNotEmpty } from '../dispatch/check.js';
import { flatChunks } from '../dispatch/flat.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { copyValues, scratch } from '../dispatch/transfer.js';
import { globalNormReference } from './reference.js';
import { clipKernel, squareSumsKernel, sumsOf } from './webgpu.js';

/** How long all gradients together are, and how to shorten them. */
export interface Clipping {
  /** `√(Σ g²)` over all values of all tensors. */
  norm: tf.Scalar;
  /** `min(1, maxNorm / (norm + 1e-6))` */
  scale: tf.Scalar;
}

/** Values that are taken together at most: 64 MiB. */
const chunkSize = 2 ** 24;

/**
 * The Euclidean norm of many tensors taken as one vector, and what to multiply them by so that it is
 * at most `maxNorm`; nothing is read back. On WebGPU it takes two dispatches up to 16.8 million
 * values, whatever the number of tensors.
 *
 * @param tensors at least one, float32, any shapes
 * @param maxNorm default Infinity: the scale is 1
 * @see Pascanu, Mikolov and Bengio 2013, https://arxiv.org/abs/1211.5063; the 1e-6 is PyTorch's
 */
export function globalNorm(
  tensors: readonly tf.Tensor[],
  maxNorm: number = Number.POSITIVE_INFINITY,
): Clipping {
  if (tensors.length === 0) throw new InputError('globalNorm: no tensors; expected at least one');
  if (!(maxNorm > 0)) {
    throw new InputError(`globalNorm: maxNorm is ${maxNorm}; expected a number above 0`);
  }
  for (const [i, tensor] of tensors.entries()) checkNotEmpty(`globalNorm: tensor ${i}`, tensor);
  if (!hasKernel('headwise/SquareSums')) return globalNormReference(tensors, maxNorm);
  return tf.tidy(() => {
    const backend = tf.backend() as WebGPUBackend;
    const chunks = flatChunks(
      tensors.map(({ size }) => size),
      chunkSize,
    );
    const counts = chunks.map(({ size }) => sumsOf(size));
    const sums = scratch(backend, [counts.reduce((a, b) => a + b)]);
    let place = 0;
    chunks.forEach(({ size, pieces }, i) => {
      tf.tidy(() => {
        const values = scratch(backend, [size]);
        copyValues(
          backend,
          pieces.map((piece) => ({
            source: tensors[piece.tensor]!,
            sourceStart: piece.from,
            target: values,
            targetStart: piece.at,
            size: piece.size,
          })),
        );
        runKernel('headwise/SquareSums', { values, sums }, { place });
      });
      place += counts[i]!;
    });
    const [norm, scale] = runKernel('headwise/Clip', { sums }, { maxNorm });
    return { norm: norm as tf.Scalar, scale: scale as tf.Scalar };
  });
}

/** Makes `globalNorm` use its WebGPU kernels. */
export function registerGlobalNorm(): void {
  registerWebGPUKernel('headwise/SquareSums', squareSumsKernel as never);
  registerWebGPUKernel('headwise/Clip', clipKernel as never);
}
