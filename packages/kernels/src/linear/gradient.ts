import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';
import type { LinearActivation } from './activation.js';

const gradFunc: tf.GradFunc = (dys, saved, attrs) => {
  // One output where nothing is kept, else two.
  const dy = Array.isArray(dys) ? (dys[0] as tf.Tensor) : dys;
  const [x, weight, z] = saved as [tf.Tensor, tf.Tensor, tf.Tensor | undefined];
  const { transposed, activation, inner } = attrs as unknown as {
    transposed: boolean;
    activation: LinearActivation;
    inner: number;
  };
  // Run at once: each thunk is called in a tidy of its own, which would free the other outputs.
  const [dx, dWeight, dBias] = runKernel(
    'headwise/LinearGradient',
    { dy, x, weight, ...(z ? { z } : {}) },
    { transposed, activation, inner },
  );
  // A clone: TensorFlow.js disposes a gradient when it adds another to it.
  return { x: () => dx!, weight: () => dWeight!, bias: () => dBias!, added: () => dy.clone() };
};

/** Saves x, weight and, under an activation, the values before it. */
export const linearGradient: tf.GradConfig = {
  kernelName: 'headwise/Linear',
  inputsToSave: ['x', 'weight'],
  outputsToSave: [false, true],
  gradFunc,
};

/** Saves halves in the place of x, and of the values before the activation. */
export const linearOfHalvesGradient: tf.GradConfig = {
  kernelName: 'headwise/LinearOfHalves',
  inputsToSave: ['halves', 'matrix'],
  outputsToSave: [false, true],
  gradFunc,
};
