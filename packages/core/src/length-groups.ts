/**
 * Sequences to process at once, by their indices: the longest first, so that few are padded.
 *
 * @param most tokens of a group, padding included; a longer sequence is a group by itself
 */
export function lengthGroups(
  indices: Iterable<number>,
  lengthOf: (index: number) => number,
  most: number,
): number[][] {
  const groups: number[][] = [];
  for (const n of [...indices].sort((a, b) => lengthOf(b) - lengthOf(a))) {
    const group = groups.at(-1);
    if (group && (group.length + 1) * lengthOf(group[0]!) <= most) group.push(n);
    else groups.push([n]);
  }
  return groups;
}
