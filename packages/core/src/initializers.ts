import type { Random } from './random.js';
import { sizeOf } from './shapes.js';

/** Computes the initial values of a parameter, row-major. */
export type Initializer = (shape: readonly number[], random: Random) => Float32Array;

/** Every value is `value`. */
export const constant =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(sizeOf(shape)).fill(value);

/** Every value is 0. */
export const zeros: Initializer = constant(0);

/** Every value is 1. */
export const ones: Initializer = constant(1);

/** Normally distributed with mean 0 and the given standard deviation. */
export const normal =
  (std: number): Initializer =>
  (shape, random) =>
    Float32Array.from({ length: sizeOf(shape) }, () => std * random.nextNormal());

/** Uniformly distributed in ±`limit`. */
export const uniform =
  (limit: number): Initializer =>
  (shape, random) =>
    Float32Array.from({ length: sizeOf(shape) }, () => limit * (2 * random.next() - 1));

/**
 * Uniform in ±√(6 / (fanIn + fanOut)) of a matrix.
 *
 * @see Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html
 */
export const glorotUniform: Initializer = (shape, random) => {
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return uniform(Math.sqrt(6 / (rows + columns)))(shape, random);
};
