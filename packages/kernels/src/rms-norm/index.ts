import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { hasKernel, runKernel } from '../dispatch/register.js';
import type { SumAndNorm } from '../layer-norm/index.js';
import { registerNorm } from '../row-norm/gradient.js';
import { rmsNormReference } from './reference.js';
import { rmsNormForm, rmsNormKernels } from './webgpu.js';

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

/**
 * RMS norm of a sum, and the sum: the residual addition and the norm after it in one dispatch.
 *
 * `sum = x + added`, `y = rmsNorm(sum)`.
 *
 * @param x `[..., D]`
 * @param added `[..., D]`, of the shape of x
 * @param weight `[D]`
 * @throws ShapeError where shapes differ
 */
export function addRmsNorm(
  x: tf.Tensor,
  added: tf.Tensor,
  weight: tf.Tensor,
  epsilon = 1e-6,
): SumAndNorm {
  checkShape('addRmsNorm: added', added.shape, x.shape);
  checkShape('addRmsNorm: weight', weight.shape, [x.shape.at(-1) ?? 0]);
  return tf.tidy(() => {
    if (x.size === 0 || !hasKernel('headwise/AddRmsNorm')) {
      const sum = x.add(added);
      return { sum, y: rmsNormReference(sum, weight, epsilon) };
    }
    const [y, sum] = runKernel('headwise/AddRmsNorm', { x, added, weight }, { epsilon });
    return { sum: sum!, y: y! };
  });
}

/**
 * RMS norm of the residual stream, and the stream: what reaches it past the norm is added to its gradient in the norm's own.
 *
 * `sum = x`, `y = rmsNorm(x)`.
 *
 * @param x `[..., D]`
 * @param weight `[D]`
 * @throws ShapeError where the widths differ
 */
export function besideRmsNorm(x: tf.Tensor, weight: tf.Tensor, epsilon = 1e-6): SumAndNorm {
  if (x.size === 0 || !hasKernel('headwise/BesideRmsNorm')) {
    return { sum: x, y: rmsNorm(x, weight, epsilon) };
  }
  checkShape('rmsNorm: weight', weight.shape, [x.shape.at(-1)!]);
  return tf.tidy(() => {
    const [y, sum] = runKernel('headwise/BesideRmsNorm', { x, weight }, { epsilon });
    return { sum: sum!, y: y! };
  });
}

/** Makes `rmsNorm`, `addRmsNorm` and `besideRmsNorm` use its WebGPU kernels. */
export function registerRmsNorm(): void {
  registerNorm(rmsNormForm, rmsNormKernels);
}
