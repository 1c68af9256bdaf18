import type * as tf from '@tensorflow/tfjs';
import { runGradients } from '../dispatch/register.js';
import type { PackedWeight } from './pack.js';

/** Saves the values before the activation, under one; the weight is constant, and its owner keeps it. */
export const packedLinearGradient: tf.GradConfig = {
  kernelName: 'headwise/PackedLinear',
  outputsToSave: [false, true],
  gradFunc: (dys, saved, attrs) => {
    // One output where nothing is kept, else two.
    const dy = Array.isArray(dys) ? (dys[0] as tf.Tensor) : dys;
    const [z] = saved as [tf.Tensor | undefined];
    const { weight } = attrs as unknown as { weight: PackedWeight };
    const { words, scales } = weight;
    return runGradients(
      'headwise/PackedLinearGradient',
      { dy, words, ...(scales ? { scales } : {}), ...(z ? { z } : {}) },
      ['x', 'bias'],
      { ...attrs, in: weight.in },
    );
  },
};
