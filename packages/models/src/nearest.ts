/** Distance added for names without an effect. */
const withoutEffect = 2;

/**
 * The known name that differs least from a given one: by edit distance, where an insertion
 * costs a quarter, so that `num_layers` finds `num_hidden_layers`.
 *
 * @param known names that have an effect @param kept names without an effect, at an added distance
 */
export function nearestName(
  name: string,
  known: Iterable<string>,
  kept: Iterable<string> = [],
): string | undefined {
  const candidates = [
    ...Array.from(known, (other) => [other, distance(name, other)] as const),
    ...Array.from(kept, (other) => [other, distance(name, other) + withoutEffect] as const),
  ];
  return candidates.sort(([, a], [, b]) => a - b)[0]?.[0];
}

/** The cost of an insertion. */
const added = 0.25;

function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j * added);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const exchanged = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(exchanged, row[j]! + 1, next[j - 1]! + added));
    }
    row = next;
  }
  return row[to.length]!;
}
