/**
 * The probability that counts of independent draws lie at least this far from what is expected: Pearson's χ² test.
 *
 * Outcomes that are expected fewer than five times are counted together. A draw of probability 0 gives 0.
 *
 * @param counts how often each outcome was drawn
 * @param probabilities of the outcomes, which sum to 1
 */
export function chiSquaredP(counts: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  const draws = Array.from(counts).reduce((sum, count) => sum + count, 0);
  const rare = { count: 0, expected: 0 };
  let statistic = 0;
  let cells = 0;
  const add = (count: number, expected: number) => {
    statistic += (count - expected) ** 2 / expected;
    cells++;
  };
  for (let i = 0; i < probabilities.length; i++) {
    const expected = draws * probabilities[i]!;
    if (expected === 0 && counts[i]! > 0) return 0;
    if (expected >= 5) {
      add(counts[i]!, expected);
    } else {
      rare.count += counts[i]!;
      rare.expected += expected;
    }
  }
  if (rare.expected >= 5) add(rare.count, rare.expected);
  return cells > 1 ? upperTail(statistic, cells - 1) : 1;
}

/** The probability that χ² of so many degrees of freedom exceeds a value: `1 − γ(k/2, x/2) / Γ(k/2)`, by its power series. */
function upperTail(value: number, freedom: number): number {
  const [a, x] = [freedom / 2, value / 2];
  // Γ(a + 1), from Γ(1) or Γ(1/2).
  let gamma = freedom % 2 === 0 ? 1 : Math.sqrt(Math.PI);
  for (let n = freedom % 2 === 0 ? 1 : 0.5; n <= a; n++) gamma *= n;
  let term = (x ** a * Math.exp(-x)) / gamma;
  let sum = 0;
  for (let n = 1; term > 1e-15 || n < x; n++) {
    sum += term;
    term *= x / (a + n);
  }
  return Math.max(0, 1 - sum);
}
