import { checkShape, InputError, ShapeError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { rotaryGradient } from './gradient.js';
import { rotaryReference } from './reference.js';
import type { RotaryLayout, RotaryTables } from './tables.js';
import { rotaryKernel } from './webgpu.js';

/**
 * Rotary embedding: turns pairs of channels by angles that depend on the position.
 *
 * `(y_a, y_b) = (x_a cos θ − x_b sin θ, x_b cos θ + x_a sin θ)` for the first R channels; the others
 * pass. Fused on WebGPU in one dispatch, forward and backward.
 *
 * @param x `[..., T, Dh]`
 * @param cos `[T, R/2]`, cos θ of each position and pair; `[B, T, R/2]` where sequences have different positions
 * @param sin as `cos`
 * @returns `[..., T, Dh]`
 * @throws ShapeError where the sizes do not fit or one is 0, InputError where a type is not float32
 * @see Su et al. 2021, https://arxiv.org/abs/2104.09864
 */
export function rotary(
  x: tf.Tensor,
  cos: tf.Tensor,
  sin: tf.Tensor,
  layout: RotaryLayout = 'half-split',
): tf.Tensor {
  if (x.rank < 2) {
    throw new ShapeError(`rotary: x has shape [${x.shape.join(', ')}]; expected [..., T, Dh]`);
  }
  checkOperands('rotary', { x });
  checkTables('rotary', { cos, sin }, x.shape);
  if (cos.rank === 3) {
    return tf.tidy(() => {
      const [coses, sines] = [cos.unstack(), sin.unstack()];
      const turned = x.unstack().map((one, b) => rotary(one, coses[b]!, sines[b]!, layout));
      return tf.stack(turned);
    });
  }
  const tables = { cos: cos as tf.Tensor2D, sin: sin as tf.Tensor2D };
  if (!hasKernel('headwise/Rotary')) return rotaryReference(x, tables.cos, tables.sin, layout);
  return tf.tidy(() => runKernel('headwise/Rotary', { x, ...tables }, { layout, sign: 1 })[0]!);
}

/**
 * Throws unless tables fit what they are to turn.
 *
 * @param shape `[B, ..., T, Dh]`, or `[T, Dh]`
 */
export function checkTables(
  op: string,
  { cos, sin }: Pick<RotaryTables, 'cos' | 'sin'>,
  shape: readonly number[],
): void {
  const [length, width] = shape.slice(-2) as [number, number];
  const own = cos.rank === 3 && shape.length > 2 ? [shape[0]!] : [];
  checkShape(`${op}: cos`, cos.shape, [...own, length, 'R/2']);
  checkShape(`${op}: sin`, sin.shape, cos.shape);
  checkOperands(op, { cos, sin });
  const pairs = cos.shape.at(-1)!;
  if (2 * pairs > width) {
    throw new InputError(
      `${op}: cos has ${pairs} pairs of channels; expected at most ${Math.floor(width / 2)} for a width of ${width}`,
    );
  }
}

/** Makes `rotary` use its WebGPU kernel. */
export function registerRotary(): void {
  registerWebGPUKernel('headwise/Rotary', rotaryKernel);
  if (!tf.getGradient('headwise/Rotary')) tf.registerGradient(rotaryGradient);
}
