import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { rmsNormGradient } from './gradient.js';
import { rmsNormReference } from './reference.js';
import { rmsNormGradientKernel, rmsNormKernel } from './webgpu.js';

/**
 * RMS norm over the last axis, fused on WebGPU in one pass, forward and backward.
 *
 * `y = x / √(mean(x²) + ε) · weight`
 *
 * @param x `[..., D]`
 * @param weight `[D]`
 * @returns `[..., D]`
 * @throws ShapeError where the widths differ
 * @see Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467
 */
export function rmsNorm(x: tf.Tensor, weight: tf.Tensor, epsilon = 1e-6): tf.Tensor {
  checkShape('rmsNorm: weight', weight.shape, [x.shape.at(-1) ?? 0]);
  if (x.size === 0 || !hasKernel('headwise/RmsNorm')) return rmsNormReference(x, weight, epsilon);
  return tf.tidy(() => runKernel('headwise/RmsNorm', { x, weight }, { epsilon })[0]!);
}

/** Makes `rmsNorm` use its WebGPU kernels. */
export function registerRmsNorm(): void {
  registerWebGPUKernel('headwise/RmsNorm', rmsNormKernel as never);
  registerWebGPUKernel('headwise/RmsNormGradient', rmsNormGradientKernel as never);
  if (!tf.getGradient('headwise/RmsNorm')) tf.registerGradient(rmsNormGradient);
}
