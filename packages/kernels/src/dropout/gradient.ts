import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

/** Saves nothing: dropout is linear in x, so the gradient is dropout of dy by the same mask. */
export const dropoutGradient: tf.GradConfig = {
  kernelName: 'headwise/Dropout',
  gradFunc: (dy, _saved, attributes) => ({
    x: () =>
      runKernel(
        'headwise/Dropout',
        { x: dy as tf.Tensor },
        attributes as unknown as Record<string, number>,
      )[0]!,
  }),
};
