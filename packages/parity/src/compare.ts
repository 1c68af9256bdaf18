/** How far values are from those expected. */
export interface Distance {
  /** The largest difference of a single value. */
  maxAbsError: number;
  /** The root mean square of the differences. */
  rmsError: number;
  /** The same, as a part of the expected values' own. */
  rmsRatio: number;
  /** Of the angle between both, as vectors. */
  cosine: number;
}

/**
 * Measures how far values are from those expected; NaN where a value is not finite.
 *
 * `rmsRatio = √(Σ (a − e)² / Σ e²)`, `cosine = Σ a e / √(Σ a² Σ e²)`; two vectors of zeros have 0 and 1.
 *
 * @throws RangeError where their numbers differ
 */
export function distanceBetween(actual: ArrayLike<number>, expected: ArrayLike<number>): Distance {
  if (actual.length !== expected.length) {
    throw new RangeError(`${actual.length} values to compare with ${expected.length}`);
  }
  let [largest, difference, product, sizeOfActual, sizeOfExpected] = [0, 0, 0, 0, 0];
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    const error = Math.abs(a - e);
    // `Math.max` would do, but for its price.
    if (!(error <= largest)) largest = error;
    difference += error * error;
    product += a * e;
    sizeOfActual += a * a;
    sizeOfExpected += e * e;
  }
  return {
    maxAbsError: Number.isNaN(difference) ? Number.NaN : largest,
    rmsError: Math.sqrt(difference / Math.max(1, actual.length)),
    rmsRatio: difference === 0 ? 0 : Math.sqrt(difference / sizeOfExpected),
    cosine:
      sizeOfActual === 0 && sizeOfExpected === 0
        ? 1
        : product / Math.sqrt(sizeOfActual * sizeOfExpected),
  };
}
