/** Ids that the second token of a sequence, or the last, has to be one of. */
export interface ForcedIds {
  readonly first: readonly number[];
  readonly last: readonly number[];
}

/**
 * The ids that the next token has to be one of; undefined where any may come.
 *
 * @param length of prompt and new tokens
 * @param left the number of tokens that may still come
 */
export function forcedIds(
  { first, last }: ForcedIds,
  length: number,
  left: number,
): readonly number[] | undefined {
  if (left === 1 && last.length > 0) return last;
  return length === 1 && first.length > 0 ? first : undefined;
}
