import * as tf from '@tensorflow/tfjs';
import { PackedWeight } from './pack.js';
import { unpackWeight } from './unpack.js';

/** Values that are unpacked at a time: with what unpacking makes on the way, some hundred megabytes. */
export const mostValues: number = 2 ** 22;

/**
 * Some columns of a packed weight, `[In, count]`, for backends that unpack before they multiply.
 *
 * @param first the first column, of `Out`
 */
export function unpackColumns(weight: PackedWeight, first: number, count: number): tf.Tensor2D {
  const { format, in: inner, group, words, scales } = weight;
  const fours = 4 * Math.ceil(count / 4);
  const of = (tensor: tf.Tensor2D): tf.Tensor2D => {
    const [rows, stride] = tensor.shape;
    const width = Math.min(fours, stride - first);
    const part = tensor.slice<tf.Tensor2D>([0, first], [rows, width]);
    // Rows of packed weights are as long as whole vectors.
    return width === fours
      ? part
      : tf.pad(part, [
          [0, 0],
          [0, fours - width],
        ]);
  };
  return tf.tidy(() =>
    unpackWeight(
      new PackedWeight({
        ...{ shape: [inner, count], format, in: inner, out: count, group },
        words: of(words),
        scales: scales && of(scales),
      }),
    ),
  );
}

/** Columns from `first` on, in parts of at most `most` values. */
export function columnParts(
  { in: inner }: PackedWeight,
  { first, count }: { first: number; count: number },
  most: number,
): { first: number; count: number }[] {
  const size = Math.max(1, Math.floor(most / inner));
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => ({
    first: first + i * size,
    count: Math.min(size, count - i * size),
  }));
}
