/**
 * p-values of several tests, adjusted by Holm's method: the chance that any of those below a level is there by accident is at most that level.
 *
 * `p̃₍ₖ₎ = max_{j ≤ k} min(1, (m − j + 1) p₍ⱼ₎)`, of the m p-values in ascending order.
 *
 * @returns in the order in which they were given
 * @see Holm 1979, https://www.jstor.org/stable/4615733
 * @example
 * holmAdjusted([0.01, 0.04, 0.03]); // [0.03, 0.06, 0.06]
 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let greatest = 0;
  for (const [rank, n] of order.entries()) {
    greatest = Math.max(greatest, Math.min(1, (pValues.length - rank) * pValues[n]!));
    adjusted[n] = greatest;
  }
  return adjusted;
}
