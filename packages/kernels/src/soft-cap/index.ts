import * as tf from '@tensorflow/tfjs';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { softCapGradientKernel, softCapKernel } from './webgpu.js';

/**
 * Scores kept within (−c, c) by a smooth bound, `y = c tanh(x / c)`; one pass on WebGPU, as is its gradient `dx = dy (1 − tanh²(x / c))`.
 *
 * @param x any shape
 * @param cap `c`, above 0
 * @see Gemma Team 2024, Gemma 2, https://arxiv.org/abs/2408.00118
 */
export const softCap = <T extends tf.Tensor>(x: T, cap: number): T =>
  tf.customGrad((input, save) => {
    const x = input as tf.Tensor;
    (save as tf.GradSaveFunc)([x]);
    const gradFunc = (dy: tf.Tensor, [x]: tf.Tensor[]) => softCapGradient(dy, x!, cap);
    return { value: capped(x, cap), gradFunc };
  })(x) as T;

const capped = (x: tf.Tensor, cap: number): tf.Tensor =>
  hasKernel('headwise/SoftCap')
    ? runKernel('headwise/SoftCap', { x }, { cap })[0]!
    : tf.tidy(() => x.div(cap).tanh().mul(cap));

/** The gradient of `softCap` with respect to its input. @param dy of its output @param x its input */
export const softCapGradient = (dy: tf.Tensor, x: tf.Tensor, cap: number): tf.Tensor =>
  hasKernel('headwise/SoftCapGradient')
    ? runKernel('headwise/SoftCapGradient', { dy, x }, { cap })[0]!
    : tf.tidy(() => dy.mul(tf.sub(1, x.div(cap).tanh().square())));

/** Makes `softCap` use its WebGPU kernels. */
export function registerSoftCap(): void {
  registerWebGPUKernel('headwise/SoftCap', softCapKernel);
  registerWebGPUKernel('headwise/SoftCapGradient', softCapGradientKernel);
}
