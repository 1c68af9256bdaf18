import { type Clipping, globalNorm } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';

/**
 * The global norm of the gradients, and the factor that clips it to `maxNorm`; both are scalar tensors.
 *
 * @param gradients by path
 */
export const clipping = (
  gradients: Readonly<Record<string, tf.Tensor>>,
  maxNorm: number,
): Clipping => globalNorm(Object.values(gradients), maxNorm);
