import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

/** Saves the logits, the labels and the rows' statistics; the softmax is recomputed. */
export const crossEntropyGradient: tf.GradConfig = {
  kernelName: 'headwise/CrossEntropy',
  inputsToSave: ['logits', 'labels'],
  outputsToSave: [false, true],
  gradFunc: (dys, saved, attributes) => {
    const [dy] = dys as unknown as tf.Tensor[];
    const [logits, labels, stats] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    return {
      logits: () =>
        runKernel(
          'headwise/CrossEntropyGradient',
          { dy: dy!, logits, labels, stats },
          attributes as unknown as Record<string, number>,
        )[0]!,
    };
  },
};
