import * as tf from '@tensorflow/tfjs';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { softmaxGradient } from './gradient.js';
import { softmaxReference } from './reference.js';
import { softmaxGradientKernel, softmaxKernel } from './webgpu.js';

/**
 * Softmax of the last axis, one dispatch forward and one backward on WebGPU.
 *
 * `y_i = exp(x_i − max(x)) / Σ_j exp(x_j − max(x))`; `dx = y · (dy − Σ_j y_j dy_j)`.
 *
 * @param x `[..., D]`, float32
 * @returns `[..., D]`
 * @throws ShapeError where a size is 0, InputError unless x is float32
 */
export function softmax(x: tf.Tensor): tf.Tensor {
  checkNotEmpty('softmax: x', x);
  checkType('softmax: x', x, 'float32');
  if (!hasKernel('headwise/Softmax')) return softmaxReference(x);
  return tf.tidy(() => runKernel('headwise/Softmax', { x })[0]!);
}

/** Makes `softmax` use its WebGPU kernels. */
export function registerSoftmax(): void {
  registerWebGPUKernel('headwise/Softmax', softmaxKernel);
  registerWebGPUKernel('headwise/SoftmaxGradient', softmaxGradientKernel);
  if (!tf.getGradient('headwise/Softmax')) tf.registerGradient(softmaxGradient);
}
