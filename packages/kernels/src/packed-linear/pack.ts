import { checkOneOf, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WeightLayout } from '../linear/index.js';
import { halfBits, largestHalf } from './half.js';

/** How a packed weight keeps its values: in half precision, or as 8- or 4-bit whole numbers with scales. */
export type WeightFormat = (typeof weightFormats)[number];
export const weightFormats = ['f16', 'int8', 'int4'] as const;

/** A weight whose values lie several in a 32-bit word; the caller disposes its tensors. */
export interface PackedWeight {
  format: WeightFormat;
  in: number;
  out: number;
  /**
   * `[⌈In / values in a word⌉, 4 ⌈Out / 4⌉]`, int32; the first value lies in the lowest bits. Rows are as
   * long as whole vectors, so that four words can be read at once.
   */
  words: tf.Tensor2D;
  /** `[⌈In / group⌉, 4 ⌈Out / 4⌉]`, float32: the size of one unit. Absent for f16. */
  scales?: tf.Tensor2D;
  /** Values along In that share a scale: all of them for int8, 32 or 64 for int4. */
  group: number;
}

/** Bits of one value. */
export const bitsOf: Readonly<Record<WeightFormat, number>> = { f16: 16, int8: 8, int4: 4 };

/**
 * Packs a weight: f16 rounds to the nearest half; int8 and int4 store `round(w / s)`, where the scale
 * s is the largest magnitude among the values that share it, divided by 127 or 7.
 *
 * @param values row by row
 * @param shape `[In, Out]`, or `[Out, In]` in the layout `out-in`
 * @param group values along In that share a scale, for int4
 * @throws InputError for an unknown format, and where a value is not finite or too large for a half, or the sizes do not fit
 */
export function packWeight(
  values: Float32Array,
  shape: readonly [number, number],
  format: WeightFormat,
  layout: WeightLayout = 'in-out',
  group: 32 | 64 = 32,
): PackedWeight {
  checkOneOf('packWeight: format', format, weightFormats);
  const [inner, out] = layout === 'in-out' ? shape : [shape[1], shape[0]];
  if (values.length !== inner * out || values.length === 0) {
    throw new InputError(
      `packWeight: ${values.length} values for the shape [${shape.join(', ')}]; expected ${inner * out}, at least 1`,
    );
  }
  const limit = format === 'f16' ? largestHalf : Number.MAX_VALUE;
  const wrong = values.findIndex((v) => !(Math.abs(v) <= limit));
  if (wrong >= 0) {
    throw new InputError(
      `packWeight: value ${wrong} is ${values[wrong]}; expected finite values${format === 'f16' ? ` of at most ${largestHalf}` : ''}`,
    );
  }
  const [stepIn, stepOut] = layout === 'in-out' ? [out, 1] : [1, inner];
  const at = (k: number, column: number) => values[k * stepIn + column * stepOut]!;
  const size = format === 'int4' ? group : inner;
  const stride = 4 * Math.ceil(out / 4);
  const scales =
    format === 'f16' ? undefined : groupScales(at, [inner, out], stride, size, bitsOf[format]);
  const perWord = 32 / bitsOf[format];
  const words = new Int32Array(Math.ceil(inner / perWord) * stride);
  const mask = 2 ** bitsOf[format] - 1;
  for (let k = 0; k < inner; k++) {
    for (let column = 0; column < out; column++) {
      const scale = scales?.[Math.floor(k / size) * stride + column];
      const bits = scale === undefined ? halfBits(at(k, column)) : unit(at(k, column), scale);
      const shift = (k % perWord) * bitsOf[format];
      words[Math.floor(k / perWord) * stride + column]! |= (bits & mask) << shift;
    }
  }
  return {
    format,
    in: inner,
    out,
    group: size,
    words: tf.tensor2d(words, [words.length / stride, stride], 'int32'),
    ...(scales ? { scales: tf.tensor2d(scales, [scales.length / stride, stride]) } : {}),
  };
}

/** The number of units nearest to a value; a scale of 0 stands for values that are all 0. */
const unit = (value: number, scale: number): number =>
  scale === 0 ? 0 : Math.round(value / scale);

function groupScales(
  at: (k: number, column: number) => number,
  [inner, out]: readonly [number, number],
  stride: number,
  group: number,
  bits: number,
): Float32Array {
  const scales = new Float32Array(Math.ceil(inner / group) * stride);
  for (let k = 0; k < inner; k++) {
    for (let column = 0; column < out; column++) {
      const i = Math.floor(k / group) * stride + column;
      scales[i] = Math.max(scales[i]!, Math.abs(at(k, column)));
    }
  }
  return scales.map((largest) => largest / (2 ** (bits - 1) - 1));
}
