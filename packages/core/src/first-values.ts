import * as tf from '@tensorflow/tfjs';
import { type Distribution, drawn, drawnValues, type PhiloxKey } from './distribution.js';
import { ShapeError } from './errors.js';
import type { Initializer } from './initializers.js';
import { hashText, Random } from './random.js';
import { sizeOf } from './shapes.js';

/** The first values of a parameter, made where they are asked for. */
export interface FirstValues {
  /** On the host, row-major. */
  array(): Float32Array;
  /** On the backend in use. */
  tensor(): tf.Tensor;
  /** Whether every one is known to be within ±65,504, the range of half precision; what packs them need not look then. */
  readonly bounded: boolean;
}

/** Values that lie on the host. */
export function givenValues(
  path: string,
  shape: readonly number[],
  values: Float32Array,
): FirstValues {
  if (values.length !== sizeOf(shape)) {
    throw new ShapeError(
      `parameter '${path}' has shape [${shape.join(', ')}], ${sizeOf(shape)} values; got ${values.length}`,
    );
  }
  return {
    array: () => values,
    tensor: () => tf.tensor(values, [...shape], 'float32'),
    bounded: false,
  };
}

/** What an initialiser gives a parameter: its numbers follow from the seed and the path alone. */
export function initialValues(
  path: string,
  shape: readonly number[],
  init: Initializer,
  seed: number,
): FirstValues {
  const own = hashText(`${seed}/${path}`);
  const given = init(shape, new Random(own));
  if (given instanceof Float32Array) return givenValues(path, shape, given);
  // One hash has 32 bits, too few for two parameters of a large model never to share it.
  return fromDistribution(given, shape, [own, hashText(`${path}/${seed}`)]);
}

const fromDistribution = (
  distribution: Distribution,
  shape: readonly number[],
  key: PhiloxKey,
): FirstValues => ({
  array: () => drawnValues(distribution, sizeOf(shape), key),
  tensor: () => drawn(distribution, shape, key),
  bounded: largestOf(distribution) <= 65_504,
});

/** No value is larger: the generator has 24 bits, so that normal numbers end at √(48 ln 2) deviations. */
function largestOf(distribution: Distribution): number {
  if (distribution.kind === 'normal') return Math.sqrt(48 * Math.LN2) * Math.abs(distribution.std);
  return Math.abs(distribution.kind === 'uniform' ? distribution.limit : distribution.value);
}
