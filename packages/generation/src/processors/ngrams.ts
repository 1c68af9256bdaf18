/**
 * The ids after which the sequence would end in an n-gram that a text has: no-repeat-n-gram.
 *
 * @param text the sequence itself, or the tokens of an encoder
 * @param size the length of the n-gram; 0 is none
 */
export function* repeatedEnds(
  text: readonly number[],
  sequence: readonly number[],
  size: number,
): Generator<number> {
  const start = sequence.length - (size - 1);
  if (size === 0 || start < 0) return;
  for (let at = 0; at + size <= text.length; at++) {
    let same = true;
    for (let i = 0; same && i < size - 1; i++) same = text[at + i] === sequence[start + i];
    if (same) yield text[at + size - 1]!;
  }
}
