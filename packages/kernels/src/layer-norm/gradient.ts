import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

/** Saves x, weight and the rows' statistics; the normalised rows are recomputed. */
export const layerNormGradient: tf.GradConfig = {
  kernelName: 'headwise/LayerNorm',
  inputsToSave: ['x', 'weight'],
  outputsToSave: [false, true],
  gradFunc: (dys, saved) => {
    const [dy] = dys as unknown as tf.Tensor[];
    const [x, weight, stats] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    // Run at once: each thunk is called in a tidy of its own, which would free the other outputs.
    const [dx, dWeight, dBias] = runKernel('headwise/LayerNormGradient', {
      dy: dy!,
      x,
      weight,
      stats,
    });
    return { x: () => dx!, weight: () => dWeight!, bias: () => dBias! };
  },
};

/** Saves the sum, weight and the rows' statistics; x and what was added have the same gradient. */
export const addLayerNormGradient: tf.GradConfig = {
  kernelName: 'headwise/AddLayerNorm',
  inputsToSave: ['weight'],
  outputsToSave: [false, true, true],
  gradFunc: (dys, saved) => {
    const [dy, dSum] = dys as unknown as tf.Tensor[];
    const [weight, x, stats] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    const [dx, dWeight, dBias] = runKernel('headwise/LayerNormGradient', {
      dy: dy!,
      x,
      weight,
      stats,
      dSum: dSum!,
    });
    // A clone each: TensorFlow.js disposes a gradient when it adds another to it.
    return {
      x: () => dx!.clone(),
      added: () => dx!.clone(),
      weight: () => dWeight!,
      bias: () => dBias!,
    };
  },
};
