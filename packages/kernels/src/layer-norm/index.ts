import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { layerNormGradient } from './gradient.js';
import { layerNormReference } from './reference.js';
import { layerNormGradientKernel, layerNormKernel } from './webgpu.js';

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

/** Makes `layerNorm` use its WebGPU kernels. */
export function registerLayerNorm(): void {
  registerWebGPUKernel('headwise/LayerNorm', layerNormKernel as never);
  registerWebGPUKernel('headwise/LayerNormGradient', layerNormGradientKernel as never);
  if (!tf.getGradient('headwise/LayerNorm')) tf.registerGradient(layerNormGradient);
}
