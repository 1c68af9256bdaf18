import { ShapeError } from './errors.js';

/** One axis of an expected shape: a number, or a letter that stands for any size. */
export type Dimension = number | string;

/**
 * Throws unless a shape is the expected one; the same letter must stand for the same size.
 *
 * @param what names the tensor in the message, e.g. `Linear 'head': x`
 * @param expected e.g. `['B', 'T', 128]`
 * @throws ShapeError with both shapes
 * @example checkShape('attention: q', q.shape, ['B', 'H', 'Tq', 'Dh']);
 */
export function checkShape(
  what: string,
  actual: readonly number[],
  expected: readonly Dimension[],
): void {
  const sizes = new Map<string, number>();
  const fits =
    actual.length === expected.length &&
    expected.every((dimension, i) => {
      if (typeof dimension === 'number') return actual[i] === dimension;
      const seen = sizes.get(dimension) ?? actual[i]!;
      sizes.set(dimension, seen);
      return seen === actual[i];
    });
  if (fits) return;
  throw new ShapeError(
    `${what} has shape [${actual.join(', ')}]; expected [${expected.join(', ')}]`,
  );
}

/** The number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
