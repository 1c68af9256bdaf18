import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

/** Saves x, weight and the rows' 1/rms; the normalised rows are recomputed. */
export const rmsNormGradient: tf.GradConfig = {
  kernelName: 'headwise/RmsNorm',
  inputsToSave: ['x', 'weight'],
  outputsToSave: [false, true],
  gradFunc: (dys, saved) => {
    const [dy] = dys as unknown as tf.Tensor[];
    const [x, weight, scale] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    // Run at once: each thunk is called in a tidy of its own, which would free the other output.
    const [dx, dWeight] = runKernel('headwise/RmsNormGradient', { dy: dy!, x, weight, scale });
    return { x: () => dx!, weight: () => dWeight! };
  },
};

/** Saves the sum, weight and the rows' 1/rms; x and what was added have the same gradient. */
export const addRmsNormGradient: tf.GradConfig = {
  kernelName: 'headwise/AddRmsNorm',
  inputsToSave: ['weight'],
  outputsToSave: [false, true, true],
  gradFunc: (dys, saved) => {
    const [dy, dSum] = dys as unknown as tf.Tensor[];
    const [weight, x, scale] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    const inputs = { dy: dy!, x, weight, scale, dSum: dSum! };
    const [dx, dWeight] = runKernel('headwise/RmsNormGradient', inputs);
    // A clone each: TensorFlow.js disposes a gradient when it adds another to it.
    return { x: () => dx!.clone(), added: () => dx!.clone(), weight: () => dWeight! };
  },
};
