import { type Clipping, globalNorm } from '@headwise/kernels';
import type * as tf from '@tensorflow/tfjs';

/**
 * The norm of all gradients taken as one vector, and what to multiply them by so that it is at most
 * `maxNorm`; both are scalars that need not be read.
 *
 * @param gradients by path
 */
export const clipping = (
  gradients: Readonly<Record<string, tf.Tensor>>,
  maxNorm: number,
): Clipping => globalNorm(Object.values(gradients), maxNorm);
