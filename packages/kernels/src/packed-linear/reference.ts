import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { formatParts, type PackedWeight } from './pack.js';

/** What is read of a packed weight to unpack it. */
type Fields = Pick<PackedWeight, 'format' | 'in' | 'out' | 'words' | 'scales' | 'group'>;

/**
 * The values of a packed weight, `[In, Out]`, in plain operations.
 *
 * @throws InputError on WebGPU, where plain operations compute int32 in float32
 */
export function unpackWeightReference(weight: Fields): tf.Tensor2D {
  if (tf.getBackend() === 'webgpu') {
    throw new InputError(
      "packed weights on WebGPU need Headwise's kernels; expected start() of @headwise/kernels before",
    );
  }
  const { format, in: inner, out, words, scales, group } = weight;
  return tf.tidy(() => {
    const { bits, minima } = formatParts[format];
    const fields = digits(words, bits).slice<tf.Tensor2D>([0, 0], [inner, out]);
    if (!scales) return format === 'f16' ? halves(fields) : upperHalves(fields);
    // Each group's scale, once for each of its values.
    const groups = tf.range(0, inner, 1).div(group).floor();
    const each = (rows: tf.Tensor): tf.Tensor2D =>
      tf.gather(scales, rows.toInt()).slice<tf.Tensor2D>([0, 0], [inner, out]);
    if (minima) return fields.mul(each(groups.mul(2))).sub(each(groups.mul(2).add(1)));
    const half = 2 ** (bits - 1);
    const units = tf.where(tf.less(fields, half), fields, fields.sub(2 * half));
    return units.mul<tf.Tensor2D>(each(groups));
  });
}

/** Splits words into unsigned fields, the lowest first: `[W, S] → [W · 32 / bits, S]`, float32. */
function digits(words: tf.Tensor2D, bits: number): tf.Tensor2D {
  const stride = words.shape[1];
  const step = tf.scalar(65_536, 'int32');
  // Some backends divide in float32: the first quotient may be one off, its remainder tells.
  const guess = tf.floorDiv(words, step);
  const rest = words.sub(guess.mul(step));
  const carry = tf.floorDiv(rest, step);
  const low = rest.sub(carry.mul(step)).toFloat();
  const signed = guess.add(carry).toFloat();
  const high = tf.where(tf.less(signed, 0), signed.add(65_536), signed);
  const split = (values: tf.Tensor, ofBits: number): tf.Tensor => {
    if (ofBits === bits) return values;
    const base = 2 ** (ofBits / 2);
    const upper = values.div(base).floor();
    const parts = tf.stack([values.sub(upper.mul(base)), upper], -2);
    return split(parts, ofBits / 2);
  };
  return split(tf.stack([low, high], -2), 16).reshape([-1, stride]);
}

/** Numbers from the upper halves of float32's bits: `±2^(e − 134) (128 + m)`, or `±2^-133 m` where the exponent e is 0. */
const upperHalves = (bits: tf.Tensor2D): tf.Tensor2D => floats(bits, 256, 7, 134);

/** Numbers from the bits of halves: `±2^(e − 25) (1024 + m)`, or `±2^-24 m` where the exponent e is 0. */
const halves = (bits: tf.Tensor2D): tf.Tensor2D => floats(bits, 32, 10, 25);

/** Numbers of 16 bits with so many exponents, bits of a mantissa, and the exponent of its unit where e is 0 less 1. */
function floats(bits: tf.Tensor2D, exponents: number, width: number, offset: number): tf.Tensor2D {
  const one = 2 ** width;
  const negative = tf.greaterEqual(bits, 32_768);
  const magnitude = tf.where(negative, bits.sub(32_768), bits);
  const exponent = magnitude.div(one).floor();
  const mantissa = magnitude.sub(exponent.mul(one));
  const powers = tf.tensor1d(
    Array.from({ length: exponents }, (_, e) => 2 ** (Math.max(e, 1) - offset)),
  );
  const lead = tf.where(tf.greater(exponent, 0), mantissa.add(one), mantissa);
  const value = lead.mul<tf.Tensor2D>(tf.gather(powers, exponent.toInt()));
  return tf.where<tf.Tensor2D>(negative, value.neg(), value);
}
