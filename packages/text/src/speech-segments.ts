/** A piece of a window of sound, by the tokens that were written of it. */
export interface WrittenSegment {
  /** In steps of time from the window's begin. */
  readonly start: number;
  readonly end: number;
  readonly ids: readonly number[];
}

/**
 * The segments of what was written of a window, and how far the next window is, as transformers finds them: two times in a row divide
 * segments, and the next window begins at the last such pair, unless the text ends with a single time, behind which nothing was said.
 *
 * @param firstTime the id of the first time; those above it are times in their order
 * @param steps the window's length in steps of time
 * @returns `advance` in steps
 */
export function writtenSegments(
  ids: readonly number[],
  { firstTime, steps }: { firstTime: number; steps: number },
): { segments: WrittenSegment[]; advance: number } {
  const timeOf = (id: number) => id - firstTime;
  const isTime = (id: number | undefined) => id !== undefined && id >= firstTime;
  const cuts = ids.flatMap((id, i) => (i > 0 && isTime(ids[i - 1]) && isTime(id) ? [i] : []));
  if (cuts.length === 0) {
    const last = ids.findLast(isTime);
    const end = last === undefined || last === firstTime ? Math.floor(steps) : timeOf(last);
    return { segments: [{ start: 0, end, ids }], advance: steps };
  }
  const single = isTime(ids.at(-1)) && ids.length > 1 && !isTime(ids.at(-2));
  if (single) cuts.push(ids.length);
  // The begin of what is unfinished stays with the last segment.
  else cuts[cuts.length - 1]! += 1;
  const segments = cuts.map((to, i) => {
    const part = ids.slice(i === 0 ? 0 : cuts[i - 1]!, to);
    const ending = part.at(i < cuts.length - 1 || single ? -1 : -2)!;
    return { start: timeOf(part[0]!), end: timeOf(ending), ids: part };
  });
  return { segments, advance: single ? steps : timeOf(ids[cuts.at(-1)! - 2]!) };
}
