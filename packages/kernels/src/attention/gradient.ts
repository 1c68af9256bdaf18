import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

/** Saves q, k, v, the output and the rows' statistics; the weights are recomputed. */
export const attentionGradient: tf.GradConfig = {
  kernelName: 'headwise/Attention',
  inputsToSave: ['q', 'k', 'v'],
  outputsToSave: [true, true],
  gradFunc: (dys, saved, attributes) => {
    const [dy] = dys as unknown as tf.Tensor[];
    const [q, k, v, y, stats] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    // Run at once: each thunk is called in a tidy of its own, which would free the other outputs.
    const [dq, dk, dv] = runKernel(
      'headwise/AttentionGradient',
      { dy: dy!, q, k, v, y, stats },
      attributes as { scale: number; mask: string },
    );
    return { q: () => dq!, k: () => dk!, v: () => dv! };
  },
};
