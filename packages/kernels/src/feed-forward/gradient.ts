import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

/** Saves x, both weights, the hidden values, and what they were before the activation. */
export const feedForwardGradient: tf.GradConfig = {
  kernelName: 'headwise/FeedForward',
  inputsToSave: ['x', 'up', 'down'],
  outputsToSave: [false, true, true],
  gradFunc: (dys, saved, attributes) => {
    const [dy] = dys as unknown as tf.Tensor[];
    const [x, up, down, hidden, z] = saved as tf.Tensor[];
    // Run at once: each thunk is called in a tidy of its own, which would free the other outputs.
    const [dx, dUp, dUpBias, dDown, dDownBias] = runKernel(
      'headwise/FeedForwardGradient',
      { dy: dy!, x: x!, up: up!, down: down!, hidden: hidden!, z: z! },
      attributes as unknown as object,
    );
    return {
      x: () => dx!,
      up: () => dUp!,
      upBias: () => dUpBias!,
      down: () => dDown!,
      downBias: () => dDownBias!,
      added: () => dy!.clone(),
    };
  },
};
