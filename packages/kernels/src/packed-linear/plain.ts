import * as tf from '@tensorflow/tfjs';
import type { LinearActivation } from '../linear/activation.js';
import { linear } from '../linear/index.js';
import { columnParts, mostValues, unpackColumns } from './columns.js';
import type { PackedWeight } from './pack.js';

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
  const { out } = weight;
  return tf.tidy(() => {
    const parts = columnParts(weight, { first: 0, count: out }, most).map(({ first, count }) =>
      tf.tidy(() => {
        const unpacked = unpackColumns(weight, first, count);
        return linear(x, unpacked, bias?.slice(first, count), 'in-out', activation);
      }),
    );
    return parts.length === 1 ? parts[0]! : tf.concat(parts, -1);
  });
}
