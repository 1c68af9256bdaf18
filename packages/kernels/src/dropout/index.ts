import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { dropoutGradient } from './gradient.js';
import { dropoutReference } from './reference.js';
import { dropoutKernel } from './webgpu.js';

/**
 * Sets each value to zero with probability `rate`, and scales the rest by `1 / (1 − rate)`.
 *
 * Which values are dropped follows from the seed and their place alone, the same on every backend;
 * on WebGPU the mask is never stored, but drawn again in the backward pass.
 *
 * @param x any shape, float32
 * @param rate in [0, 1)
 * @param seed a whole number from 0 to 2⁵³ − 1
 * @returns the shape of x
 * @throws InputError for a rate or a seed out of range
 * @see Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 */
export function dropout(x: tf.Tensor, rate: number, seed: number): tf.Tensor {
  if (!(rate >= 0 && rate < 1)) {
    throw new InputError(`dropout: rate is ${rate}; expected 0 ≤ rate < 1`);
  }
  if (!(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new InputError(`dropout: seed is ${seed}; expected a whole number of at least 0`);
  }
  checkNotEmpty('dropout: x', x);
  checkType('dropout: x', x, 'float32');
  if (!hasKernel('headwise/Dropout')) return dropoutReference(x, rate, seed);
  return tf.tidy(() => runKernel('headwise/Dropout', { x }, { rate, seed })[0]!);
}

/** Makes `dropout` use its WebGPU kernel. */
export function registerDropout(): void {
  registerWebGPUKernel('headwise/Dropout', dropoutKernel);
  if (!tf.getGradient('headwise/Dropout')) tf.registerGradient(dropoutGradient);
}
