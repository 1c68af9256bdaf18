import type { Random } from '@headwise/core';

/** The items of the highest scores, best first; of equal ones the first. */
export function best<T>(items: readonly T[], count: number, score: (item: T) => number): T[] {
  const found: { item: T; score: number }[] = [];
  for (const item of items) {
    const own = score(item);
    if (found.length === count && !(own > found.at(-1)!.score)) continue;
    let place = found.length;
    while (place > 0 && found[place - 1]!.score < own) place--;
    found.splice(place, 0, { item, score: own });
    if (found.length > count) found.pop();
  }
  return found.map(({ item }) => item);
}

/**
 * Draws places without replacement, each with a probability in proportion to `exp(score)` of those that are left.
 *
 * The highest of `score − log(−log u)` are such a draw, in its order.
 *
 * @see Kool et al. 2019, https://arxiv.org/abs/1903.06059
 */
export function drawWithoutReplacement(
  scores: Float64Array,
  count: number,
  random: Random,
): number[] {
  const noisy = scores.map((score) => {
    // A word of 0 is an uniform number that is not.
    const u = (random.nextUint32() + 0.5) / 2 ** 32;
    return score - Math.log(-Math.log(u));
  });
  return best([...noisy.keys()], count, (place) => noisy[place]!);
}
