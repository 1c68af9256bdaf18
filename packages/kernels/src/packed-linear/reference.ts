import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { bitsOf, type PackedWeight } from './pack.js';

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
    const fields = digits(words, bitsOf[format]).slice([0, 0], [inner, out]);
    if (!scales) return halves(fields);
    const half = 2 ** (bitsOf[format] - 1);
    const units = tf.where(tf.less(fields, half), fields, fields.sub(2 * half));
    // Each group's scale, once for each of its values.
    const rows = tf.tidy(() => tf.range(0, inner, 1).div(group).floor().toInt());
    return units.mul<tf.Tensor2D>(tf.gather(scales, rows).slice([0, 0], [inner, out]));
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

/** Numbers from the bits of halves: `±2^(e − 25) (1024 + m)`, or `±2^-24 m` where the exponent e is 0. */
function halves(bits: tf.Tensor2D): tf.Tensor2D {
  const negative = tf.greaterEqual(bits, 32_768);
  const magnitude = tf.where(negative, bits.sub(32_768), bits);
  const exponent = magnitude.div(1024).floor();
  const mantissa = magnitude.sub(exponent.mul(1024));
  const powers = tf.tensor1d(Array.from({ length: 32 }, (_, e) => 2 ** (Math.max(e, 1) - 25)));
  const lead = tf.where(tf.greater(exponent, 0), mantissa.add(1024), mantissa);
  const value = lead.mul<tf.Tensor2D>(tf.gather(powers, exponent.toInt()));
  return tf.where<tf.Tensor2D>(negative, value.neg(), value);
}
