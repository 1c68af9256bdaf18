import type { Distribution } from './distribution.js';
import type { Random } from './random.js';

/**
 * Gives the initial values of a parameter: a distribution to draw them from on the device, or the values, row-major.
 *
 * The generator is for values that are computed; its numbers follow from the store's seed and the parameter's path.
 */
export type Initializer = (shape: readonly number[], random: Random) => Distribution | Float32Array;

/** Every value is `value`. */
export const constant =
  (value: number): Initializer =>
  () => ({ kind: 'constant', value });

/** Every value is 0. */
export const zeros: Initializer = constant(0);

/** Every value is 1. */
export const ones: Initializer = constant(1);

/** Normally distributed with mean 0 and the given standard deviation. */
export const normal =
  (std: number): Initializer =>
  () => ({ kind: 'normal', std });

/** Uniformly distributed in ±`limit`. */
export const uniform =
  (limit: number): Initializer =>
  () => ({ kind: 'uniform', limit });

/**
 * Uniform in ±√(6 / (fanIn + fanOut)) of a matrix.
 *
 * @see Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html
 */
export const glorotUniform: Initializer = (shape) => {
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return { kind: 'uniform', limit: Math.sqrt(6 / (rows + columns)) };
};
