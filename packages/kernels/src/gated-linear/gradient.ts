import type * as tf from '@tensorflow/tfjs';
import { runGradients } from '../dispatch/register.js';

const gradFunc: tf.GradFunc = (dys, saved, attrs) => {
  const [dh] = dys as unknown as tf.Tensor[];
  const [x, gate, up, gateValue, upValue] = saved as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  return runGradients(
    'headwise/GatedLinearGradient',
    { dh: dh!, x, gate, up, gateValue, upValue },
    ['x', 'gate', 'gateBias', 'up', 'upBias'],
    attrs as object,
  );
};

/** Saves x, both weights and the outputs of both maps before the activation. */
export const gatedLinearGradient: tf.GradConfig = {
  kernelName: 'headwise/GatedLinear',
  inputsToSave: ['x', 'gate', 'up'],
  outputsToSave: [false, true, true],
  gradFunc,
};

/** Saves x, both weights and the outputs of both maps before the activation, all as halves. */
export const gatedLinearOfHalvesGradient: tf.GradConfig = {
  kernelName: 'headwise/GatedLinearOfHalves',
  inputsToSave: ['halves', 'gateHalves', 'upHalves'],
  outputsToSave: [false, true, true],
  gradFunc,
};
