import { wordsOf } from './no-duplicates.js';

/**
 * ROUGE-L: the F-measure of the longest common subsequence of two texts' words.
 *
 * `P = lcs / |a|`, `R = lcs / |b|`, `F = 2PR / (P + R)`; words are compared in lower case, without stemming.
 *
 * @see Lin 2004, https://aclanthology.org/W04-1013/
 * @example
 * rougeL('the cat sat', 'the cat ran'); // 0.667
 */
export function rougeL(a: string, b: string): number {
  const [first, second] = [wordsOf(a), wordsOf(b)];
  if (first.length === 0 || second.length === 0) return 0;
  // lengths[j]: of the longest common subsequence of the words of `a` so far and the first j of `b`.
  const lengths = new Array<number>(second.length + 1).fill(0);
  for (const word of first) {
    let before = 0;
    for (const [j, other] of second.entries()) {
      const above = lengths[j + 1]!;
      lengths[j + 1] = word === other ? before + 1 : Math.max(above, lengths[j]!);
      before = above;
    }
  }
  return (2 * lengths.at(-1)!) / (first.length + second.length);
}
