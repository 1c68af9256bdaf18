import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { hasKernel, runKernel } from '../dispatch/register.js';
import { registerNorm } from '../row-norm/gradient.js';
import { layerNormReference } from './reference.js';
import { layerNormForm, layerNormKernels } from './webgpu.js';

/**
 * Layer norm over the last axis, fused on WebGPU.
 *
 * `y = (x − mean(x)) / √(var(x) + ε) · weight + bias`, the variance without Bessel's correction.
 *
 * @param x `[..., D]`
 * @param weight `[D]`
 * @param bias `[D]`
 * @returns `[..., D]`
 * @throws ShapeError where the widths differ
 * @see Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450
 */
export function layerNorm(
  x: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor,
  epsilon = 1e-5,
): tf.Tensor {
  const width = x.shape.at(-1) ?? 0;
  checkShape('layerNorm: weight', weight.shape, [width]);
  checkShape('layerNorm: bias', bias.shape, [width]);
  if (x.size === 0 || !hasKernel('headwise/LayerNorm')) {
    return layerNormReference(x, weight, bias, epsilon);
  }
  return tf.tidy(() => runKernel('headwise/LayerNorm', { x, weight, bias }, { epsilon })[0]!);
}

/** The residual stream, and its norm. */
export type SumAndNorm = {
  /** `x + added` */
  sum: tf.Tensor;
  y: tf.Tensor;
};

/**
 * Layer norm of a sum, and the sum: the residual addition and the norm after it in one dispatch.
 *
 * `sum = x + added`, `y = layerNorm(sum)`.
 *
 * @param x `[..., D]`
 * @param added `[..., D]`, of the shape of x
 * @param weight `[D]`
 * @param bias `[D]`
 * @throws ShapeError where shapes differ
 */
export function addLayerNorm(
  x: tf.Tensor,
  added: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor,
  epsilon = 1e-5,
): SumAndNorm {
  checkShape('addLayerNorm: added', added.shape, x.shape);
  const width = x.shape.at(-1) ?? 0;
  checkShape('addLayerNorm: weight', weight.shape, [width]);
  checkShape('addLayerNorm: bias', bias.shape, [width]);
  return tf.tidy(() => {
    if (x.size === 0 || !hasKernel('headwise/AddLayerNorm')) {
      const sum = x.add(added);
      return { sum, y: layerNormReference(sum, weight, bias, epsilon) };
    }
    const inputs = { x, added, weight, bias };
    const [y, sum] = runKernel('headwise/AddLayerNorm', inputs, { epsilon });
    return { sum: sum!, y: y! };
  });
}

/**
 * Layer norm of the residual stream, and the stream: what reaches it past the norm is added to its gradient in the norm's own.
 *
 * `sum = x`, `y = layerNorm(x)`.
 *
 * @param x `[..., D]`
 * @param weight `[D]`
 * @param bias `[D]`
 * @throws ShapeError where the widths differ
 */
export function besideLayerNorm(
  x: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor,
  epsilon = 1e-5,
): SumAndNorm {
  if (x.size === 0 || !hasKernel('headwise/BesideLayerNorm')) {
    return { sum: x, y: layerNorm(x, weight, bias, epsilon) };
  }
  const width = x.shape.at(-1)!;
  checkShape('layerNorm: weight', weight.shape, [width]);
  checkShape('layerNorm: bias', bias.shape, [width]);
  return tf.tidy(() => {
    const [y, sum] = runKernel('headwise/BesideLayerNorm', { x, weight, bias }, { epsilon });
    return { sum: sum!, y: y! };
  });
}

/** Makes `layerNorm`, `addLayerNorm` and `besideLayerNorm` use its WebGPU kernels. */
export function registerLayerNorm(): void {
  registerNorm(layerNormForm, layerNormKernels);
}
