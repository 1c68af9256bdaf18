import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

/** Saves nothing. */
export const addRowsGradient: tf.GradConfig = {
  kernelName: 'headwise/AddRows',
  gradFunc: (dy, _saved, attributes) => ({
    x: () => (dy as tf.Tensor).clone(),
    table: () =>
      runKernel(
        'headwise/AddRowsGradient',
        { dy: dy as tf.Tensor },
        attributes as unknown as object,
      )[0]!,
  }),
};
