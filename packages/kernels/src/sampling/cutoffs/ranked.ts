/** The ids that can be drawn, best first; of equal scores the first in the vocabulary comes first. */
export function ranked(scores: ArrayLike<number>): number[] {
  return Array.from(scores, (_, id) => id)
    .filter((id) => scores[id]! > Number.NEGATIVE_INFINITY)
    .sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** The score of the `count`-th best token, or of the last that can be drawn. */
export function scoreAt(scores: Float64Array, count: number): number {
  const sorted = scores.filter((score) => score > Number.NEGATIVE_INFINITY).sort();
  return sorted.at(-Math.min(count, sorted.length)) ?? Number.NEGATIVE_INFINITY;
}

/** Removes the tokens that score less than a bound; the best `least` stay. */
export function removeBelow(scores: Float64Array, bound: number, least: number): void {
  const stays = Math.min(bound, scoreAt(scores, least));
  for (const [id, score] of scores.entries()) {
    if (score < stays) scores[id] = Number.NEGATIVE_INFINITY;
  }
}
