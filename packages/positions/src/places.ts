import type { ForwardContext } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { checkPositions } from './position.js';

/**
 * The positions of new tokens: a number where all sequences begin at the same one, else those of all
 * tokens, row-major `[B, T]`, in which padding repeats the last that there is.
 *
 * @param x `[B, T, D]`, the tokens that follow those in `ctx.cache`
 * @throws ShapeError where a position is beyond `maxLength`
 */
export function placesOf(
  x: tf.Tensor,
  ctx: ForwardContext | undefined,
  maxLength: number,
): number | Int32Array {
  const [batch, count] = x.shape as [number, number, number];
  const starts = ctx?.cache?.starts ?? [];
  const [first = 0] = starts;
  const counts = ctx?.lengths ?? [];
  for (let b = 0; b < batch; b++) {
    checkPositions(starts[b] ?? first, counts[b] ?? count, maxLength);
  }
  if (starts.every((start) => start === first) && first + count <= maxLength) return first;
  return Int32Array.from({ length: batch * count }, (_, i) => {
    const position = (starts[Math.floor(i / count)] ?? first) + (i % count);
    return Math.min(position, maxLength - 1);
  });
}
