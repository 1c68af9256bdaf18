/** Options of `maximalMarginalRelevance`. */
export interface MarginalRelevanceOptions {
  /** How many items to choose. */
  count: number;
  /** λ, what likeness to the query counts against likeness to what is chosen already, from 0 to 1. */
  relevance: number;
}

/**
 * Items that are like a query and unlike each other, each the one of the greatest `λ sim(item, query) − (1 − λ) max sim(item, chosen)`;
 * of equal ones the first.
 *
 * @param toQuery the likeness of every item to the query
 * @param between the likeness of an item to a chosen one, by their indices
 * @returns the indices, in the order in which they are chosen
 * @see Carbonell and Goldstein 1998, https://doi.org/10.1145/290941.291025
 */
export function maximalMarginalRelevance(
  toQuery: ArrayLike<number>,
  between: (item: number, chosen: number) => number,
  { count, relevance }: MarginalRelevanceOptions,
): number[] {
  const chosen: number[] = [];
  const left = new Set(Array.from({ length: toQuery.length }, (_, n) => n));
  /** Of every item its greatest likeness to a chosen one. */
  const nearest = new Float64Array(toQuery.length).fill(Number.NEGATIVE_INFINITY);
  while (chosen.length < count && left.size > 0) {
    let best = -1;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (const n of left) {
      const penalty = chosen.length > 0 && relevance < 1 ? (1 - relevance) * nearest[n]! : 0;
      const value = relevance * toQuery[n]! - penalty;
      if (best < 0 || value > bestValue) [best, bestValue] = [n, value];
    }
    chosen.push(best);
    left.delete(best);
    if (relevance < 1) {
      for (const n of left) nearest[n] = Math.max(nearest[n]!, between(n, best));
    }
  }
  return chosen;
}
