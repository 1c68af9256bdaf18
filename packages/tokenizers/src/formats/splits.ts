/** A way to put a token together of two others. */
export type Split = readonly [left: string, right: string];

/**
 * The pairs of tokens that make a token, the pairs of lower ids first.
 *
 * @param units what a token can be cut between
 */
export function splitsOf(
  units: readonly string[],
  idOf: (token: string) => number | undefined,
): Split[] {
  const found: { split: Split; left: number; right: number }[] = [];
  for (let i = 1; i < units.length; i++) {
    const split: Split = [units.slice(0, i).join(''), units.slice(i).join('')];
    const [left, right] = [idOf(split[0]), idOf(split[1])];
    if (left !== undefined && right !== undefined) found.push({ split, left, right });
  }
  return found.sort((a, b) => a.left - b.left || a.right - b.right).map(({ split }) => split);
}
