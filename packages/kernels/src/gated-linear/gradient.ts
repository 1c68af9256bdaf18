import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';

const gradFunc: tf.GradFunc = (dys, saved, attrs) => {
  const [dh] = dys as unknown as tf.Tensor[];
  const [x, gate, up, gateValue, upValue] = saved as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  // Run at once: each thunk is called in a tidy of its own, which would free the other outputs.
  const [dx, dGate, dGateBias, dUp, dUpBias] = runKernel(
    'headwise/GatedLinearGradient',
    { dh: dh!, x, gate, up, gateValue, upValue },
    attrs as { transposed: boolean; activation: string },
  );
  return {
    x: () => dx!,
    gate: () => dGate!,
    gateBias: () => dGateBias!,
    up: () => dUp!,
    upBias: () => dUpBias!,
  };
};

/** Saves x, both weights, and what both maps gave before the activation. */
export const gatedLinearGradient: tf.GradConfig = {
  kernelName: 'headwise/GatedLinear',
  inputsToSave: ['x', 'gate', 'up'],
  outputsToSave: [false, true, true],
  gradFunc,
};

/** Saves halves in the place of x, and of what both maps gave. */
export const gatedLinearOfHalvesGradient: tf.GradConfig = {
  kernelName: 'headwise/GatedLinearOfHalves',
  inputsToSave: ['halves', 'gate', 'up'],
  outputsToSave: [false, true, true],
  gradFunc,
};
