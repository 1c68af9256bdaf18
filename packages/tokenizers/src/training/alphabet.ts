import { stringList } from '../string-lists.js';

/**
 * The characters of some words in the order of their code points.
 *
 * @param limit characters at most, the most frequent ones; those of `initial` come first
 */
export function alphabetOf(
  words: ReadonlyMap<string, number>,
  limit: number = Number.POSITIVE_INFINITY,
  initial: readonly string[] = [],
): string[] {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    for (const char of word) counts.set(char, (counts.get(char) ?? 0) + count);
  }
  for (const char of stringList(initial, 'initialAlphabet'))
    counts.set(char, Number.POSITIVE_INFINITY);
  const byCodePoint = (a: string, b: string) => a.codePointAt(0)! - b.codePointAt(0)!;
  const chars = [...counts.keys()].sort(byCodePoint);
  if (chars.length <= limit) return chars;
  return chars
    .sort((a, b) => counts.get(b)! - counts.get(a)! || byCodePoint(a, b))
    .slice(0, limit)
    .sort(byCodePoint);
}
