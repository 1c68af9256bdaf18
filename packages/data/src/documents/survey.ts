/** How many documents have sizes in each range: entry 0 counts those of size 0, entry `i` those of `2^(i − 1)` to `2^i − 1`. */
export type SizeHistogram = number[];

/** Counts a size. */
export function addSize(histogram: SizeHistogram, size: number): void {
  const bin = size === 0 ? 0 : Math.floor(Math.log2(size)) + 1;
  while (histogram.length <= bin) histogram.push(0);
  histogram[bin]!++;
}

/** Adds the counts of `other` to a histogram. */
export function addSizes(into: SizeHistogram, other: readonly number[]): void {
  while (into.length < other.length) into.push(0);
  for (const [bin, count] of other.entries()) into[bin]! += count;
}

/** The sizes that a bin counts: `[from, to]`. */
export const binRange = (bin: number): readonly [number, number] =>
  bin === 0 ? [0, 0] : [2 ** (bin - 1), 2 ** bin - 1];
