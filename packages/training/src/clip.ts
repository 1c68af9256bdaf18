import { type Clipping, globalNorm } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';

/**
 * The global norm of the gradients, and the factor that clips it to `maxNorm`; both are scalar tensors.
 *
 * @param gradients by path
 * @param lossScale of the loss that they are of: the norm is that of unscaled gradients, and the factor unscales as well
 */
export const clipping = (
  gradients: Readonly<Record<string, tf.Tensor>>,
  maxNorm: number,
  lossScale = 1,
): Clipping => globalNorm(Object.values(gradients), maxNorm, 1 / lossScale);
