/** The last ids of the words whose other ids the sequence ends with. */
export function* completedWords(
  words: readonly (readonly number[])[],
  sequence: readonly number[],
): Generator<number> {
  for (const word of words) if (isBegun(word, sequence)) yield word.at(-1)!;
}

/** Whether a sequence ends with all ids of a word but the last. */
export function isBegun(word: readonly number[], sequence: readonly number[]): boolean {
  const before = word.length - 1;
  const start = sequence.length - before;
  return start >= 0 && word.slice(0, -1).every((id, i) => sequence[start + i] === id);
}
