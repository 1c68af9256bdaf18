import * as tf from '@tensorflow/tfjs';
import type { LinearActivation } from '../linear/activation.js';
import { linear } from '../linear/index.js';
import type { PackedWeight } from './pack.js';
import { unpackWeightReference } from './reference.js';

/** Values that are unpacked at a time: with what unpacking makes on the way, some hundred megabytes. */
const mostValues = 2 ** 22;

/**
 * `packedLinear` in plain operations: some columns of the weight are unpacked at a time, so that the head of a large
 * vocabulary is never whole in float32.
 *
 * @param most values that are unpacked at a time
 */
export function packedLinearPlain(
  x: tf.Tensor,
  weight: PackedWeight,
  bias: tf.Tensor1D | undefined,
  activation: LinearActivation,
  most: number = mostValues,
): tf.Tensor {
  const { format, in: inner, out, group, words, scales } = weight;
  const size = Math.max(1, Math.floor(most / inner));
  const columns = (start: number, count: number) => {
    const of = (tensor: tf.Tensor2D) => tensor.slice([0, start], [tensor.shape[0], count]);
    const part = { format, in: inner, out: count, group, words: of(words) };
    const unpacked = unpackWeightReference({ ...part, scales: scales && of(scales) });
    return linear(x, unpacked, bias?.slice(start, count), 'in-out', activation);
  };
  const starts = Array.from({ length: Math.ceil(out / size) }, (_, i) => i * size);
  return tf.tidy(() => {
    const parts = starts.map((start) => tf.tidy(() => columns(start, Math.min(size, out - start))));
    return parts.length === 1 ? parts[0]! : tf.concat(parts, -1);
  });
}
