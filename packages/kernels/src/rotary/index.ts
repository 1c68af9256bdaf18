import { checkShape, InputError, ShapeError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { rotaryGradient } from './gradient.js';
import { rotaryReference } from './reference.js';
import { rotaryKernel } from './webgpu.js';

/**
 * Which channels are turned together, of the first R: `half-split` i and i + R/2 (GPT-NeoX, LLaMA in
 * Hugging Face's layout), `interleaved` 2i and 2i + 1 (the paper, GPT-J).
 */
export type RotaryLayout = 'half-split' | 'interleaved';

/**
 * Rotary embedding: turns pairs of channels by angles that depend on the position.
 *
 * `(y_a, y_b) = (x_a cos θ − x_b sin θ, x_b cos θ + x_a sin θ)` for the first R channels; the others
 * pass. Fused on WebGPU in one dispatch, forward and backward.
 *
 * @param x `[..., T, Dh]`
 * @param cos `[T, R/2]`, cos θ of each position and pair
 * @param sin `[T, R/2]`
 * @returns `[..., T, Dh]`
 * @throws ShapeError where the sizes do not fit or one is 0, InputError where a type is not float32
 * @see Su et al. 2021, https://arxiv.org/abs/2104.09864
 */
export function rotary(
  x: tf.Tensor,
  cos: tf.Tensor2D,
  sin: tf.Tensor2D,
  layout: RotaryLayout = 'half-split',
): tf.Tensor {
  if (x.rank < 2) {
    throw new ShapeError(`rotary: x has shape [${x.shape.join(', ')}]; expected [..., T, Dh]`);
  }
  const [length, width] = x.shape.slice(-2) as [number, number];
  checkShape('rotary: cos', cos.shape, [length, 'R/2']);
  checkShape('rotary: sin', sin.shape, cos.shape);
  checkOperands('rotary', { x, cos, sin });
  if (2 * cos.shape[1] > width) {
    throw new InputError(
      `rotary: cos has ${cos.shape[1]} pairs of channels; expected at most ${Math.floor(width / 2)} for a width of ${width}`,
    );
  }
  if (!hasKernel('headwise/Rotary')) return rotaryReference(x, cos, sin, layout);
  return tf.tidy(() => runKernel('headwise/Rotary', { x, cos, sin }, { layout, sign: 1 })[0]!);
}

/** Makes `rotary` use its WebGPU kernel. */
export function registerRotary(): void {
  registerWebGPUKernel('headwise/Rotary', rotaryKernel as never);
  if (!tf.getGradient('headwise/Rotary')) tf.registerGradient(rotaryGradient);
}
