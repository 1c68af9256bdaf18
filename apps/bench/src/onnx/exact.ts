import type { AttentionSize } from './attention-model.js';

/** The queries that are compared: all of a short sequence, some spread over a long one. */
const mostCompared = 64;

/**
 * The largest difference of an attention's output from the same in float64.
 *
 * @param inputs `q k v`, `[H, T, Dh]` each
 * @param output gives the value of a head, a token and a column
 */
export function attentionError(
  { heads, length, width }: AttentionSize,
  causal: boolean,
  [q, k, v]: readonly [Float32Array, Float32Array, Float32Array],
  output: (head: number, token: number, column: number) => number,
): number {
  const compared = Math.min(mostCompared, length);
  let largest = 0;
  for (let head = 0; head < heads; head++) {
    for (let n = 1; n <= compared; n++) {
      const token = Math.floor((n * length) / compared) - 1;
      const row = (t: number) => (head * length + t) * width;
      const keys = causal ? token + 1 : length;
      const scores = Float64Array.from({ length: keys }, (_, key) => {
        let score = 0;
        for (let c = 0; c < width; c++) score += q[row(token) + c]! * k[row(key) + c]!;
        return score / Math.sqrt(width);
      });
      const peak = scores.reduce((a, b) => Math.max(a, b));
      const weights = scores.map((score) => Math.exp(score - peak));
      const total = weights.reduce((a, b) => a + b);
      for (let c = 0; c < width; c++) {
        let sum = 0;
        for (let key = 0; key < keys; key++) sum += weights[key]! * v[row(key) + c]!;
        const error = Math.abs(output(head, token, c) - sum / total);
        // NaN is the largest error of all.
        if (!(error <= largest)) largest = error;
      }
    }
  }
  return largest;
}
