import { isWanted } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { runGradients } from '../dispatch/register.js';

const gradFunc: tf.GradFunc = (dys, saved, attrs) => {
  // One output where nothing is kept, else two.
  const dy = Array.isArray(dys) ? (dys[0] as tf.Tensor) : dys;
  const [x, weight, z] = saved as [tf.Tensor, tf.Tensor, tf.Tensor | undefined];
  const inputs = { dy, x, weight, ...(z ? { z } : {}) };
  const names = ['x', 'weight', 'bias'] as const;
  // Nothing else than what is added may be asked for.
  const of = names.some(isWanted)
    ? runGradients('headwise/LinearGradient', inputs, names, attrs as object)
    : {};
  // A clone: TensorFlow.js disposes a gradient when it adds another to it.
  return { ...of, added: () => dy.clone() };
};

/** Saves x, weight and, under an activation, the values before it. */
export const linearGradient: tf.GradConfig = {
  kernelName: 'headwise/Linear',
  inputsToSave: ['x', 'weight'],
  outputsToSave: [false, true],
  gradFunc,
};

/** Saves x, the weight and the values before the activation as halves. */
export const linearOfHalvesGradient: tf.GradConfig = {
  kernelName: 'headwise/LinearOfHalves',
  inputsToSave: ['halves', 'matrix'],
  outputsToSave: [false, true],
  gradFunc,
};
