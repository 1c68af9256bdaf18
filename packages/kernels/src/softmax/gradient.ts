import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

/** Saves the output only. */
export const softmaxGradient: tf.GradConfig = {
  kernelName: 'headwise/Softmax',
  outputsToSave: [true],
  gradFunc: (dy, saved) => ({
    x: () => runKernel('headwise/SoftmaxGradient', { dy: dy as tf.Tensor, y: saved[0]! })[0]!,
  }),
};
