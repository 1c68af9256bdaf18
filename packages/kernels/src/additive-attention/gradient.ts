import * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

/** Saves q, k and w; `f(q_i + k_j)` is computed again. */
export const additiveGradient: tf.GradConfig = {
  kernelName: 'headwise/AdditiveScores',
  inputsToSave: ['q', 'k', 'w'],
  gradFunc: (dy, saved, attributes) => {
    const [q, k, w] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    const { activation } = attributes as unknown as { activation: string };
    const inputs = { q, k, w, ds: dy as tf.Tensor };
    // Run at once: each thunk is called in a tidy of its own, which would free the other outputs.
    const [dq, dk, dw] = runKernel('headwise/AdditiveScoresGradient', inputs, { activation });
    return { q: () => dq!, k: () => dk!, w: () => tf.sum(dw!, [0, 2]) };
  },
};
