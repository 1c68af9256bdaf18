import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkNotEmpty } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { flatGlobalNorm } from './flat.js';
import { type Clipping, globalNormReference } from './reference.js';
import { clipKernel, squareSumsKernel } from './webgpu.js';

export type { Clipping } from './reference.js';

/**
 * The Euclidean norm of many tensors taken as one vector, and what to multiply them by so that it is
 * at most `maxNorm`; nothing is read back. On WebGPU it takes two dispatches up to a million
 * values and at most nine up to 134 million, whatever the number of tensors.
 *
 * @param tensors at least one, float32, any shapes
 * @param maxNorm default Infinity: the scale is `factor`
 * @param factor multiplies every value first, such as `1 / S` of gradients of a loss that was scaled by S; default 1
 * @see Pascanu, Mikolov and Bengio 2013, https://arxiv.org/abs/1211.5063; the 1e-6 is PyTorch's
 */
export function globalNorm(
  tensors: readonly tf.Tensor[],
  maxNorm: number = Number.POSITIVE_INFINITY,
  factor = 1,
): Clipping {
  if (tensors.length === 0) throw new InputError('globalNorm: no tensors; expected at least one');
  if (!(maxNorm > 0)) {
    throw new InputError(`globalNorm: maxNorm is ${maxNorm}; expected a number above 0`);
  }
  for (const [i, tensor] of tensors.entries()) checkNotEmpty(`globalNorm: tensor ${i}`, tensor);
  // That of WebGPU first: where it is registered, nothing is missing.
  if (hasKernel('headwise/SquareSums')) return flatGlobalNorm(tensors, maxNorm, factor);
  if (hasKernel('headwise/GlobalNorm')) {
    const [norm, scale] = tf.tidy(() =>
      runKernel('headwise/GlobalNorm', tensors, { maxNorm, factor }),
    ) as [tf.Scalar, tf.Scalar];
    return { norm, scale };
  }
  return globalNormReference(tensors, maxNorm, factor);
}

/** Makes `globalNorm` use its WebGPU kernels. */
export function registerGlobalNorm(): void {
  registerWebGPUKernel('headwise/SquareSums', squareSumsKernel);
  registerWebGPUKernel('headwise/Clip', clipKernel);
}
