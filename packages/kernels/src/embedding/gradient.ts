import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

/** Saves the ids only. */
export const gatherRowsGradient: tf.GradConfig = {
  kernelName: 'headwise/GatherRows',
  inputsToSave: ['ids'],
  gradFunc: (dy, saved, attributes) => {
    const [ids] = saved as [tf.Tensor];
    const { count } = attributes as unknown as { count: number };
    return {
      table: () =>
        runKernel('headwise/GatherRowsGradient', { dy: dy as tf.Tensor, ids }, { count })[0]!,
    };
  },
};
