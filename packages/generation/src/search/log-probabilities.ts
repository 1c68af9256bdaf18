/** @param scores `[V]`, −∞ for what cannot come @returns their log-probabilities */
export function logProbabilities(scores: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(scores);
  const largest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = values.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  const logSum = largest + Math.log(sum);
  return values.map((value) => value - logSum);
}

/** @param scores `[V]`, −∞ for what cannot come @returns their probabilities */
export const probabilities = (scores: ArrayLike<number>): Float64Array =>
  logProbabilities(scores).map(Math.exp);
