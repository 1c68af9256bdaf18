import { InputError } from '@headwise/core';

/**
 * McNemar's exact test of two ways to answer the same questions.
 *
 * Of the `n = b + c` questions that only one of them answers, each does so with probability 1/2 where they are equally good:
 * `p = min(1, 2 Σ_{i ≤ min(b, c)} C(n, i) 2⁻ⁿ)`.
 *
 * @param onlyFirst `b`, questions that the first answers right and the second does not
 * @param onlySecond `c`, the other way round
 * @returns the two-sided p-value; 1 where they differ on no question
 * @throws InputError for counts that are not whole numbers of at least 0
 * @see McNemar 1947, https://doi.org/10.1007/BF02295996
 * @example
 * mcnemarTest(1, 9); // 0.0215
 */
export function mcnemarTest(onlyFirst: number, onlySecond: number): number {
  for (const count of [onlyFirst, onlySecond]) {
    if (Number.isSafeInteger(count) && count >= 0) continue;
    throw new InputError(`a count is ${count}; expected a whole number of at least 0`);
  }
  const n = onlyFirst + onlySecond;
  // Binomial coefficients overflow from n = 1,030 on, their logarithms do not.
  let logTerm = -n * Math.LN2;
  let sum = 0;
  for (let i = 0; i <= Math.min(onlyFirst, onlySecond); i++) {
    sum += Math.exp(logTerm);
    logTerm += Math.log(n - i) - Math.log(i + 1);
  }
  return Math.min(1, 2 * sum);
}
