import { InputError } from '@headwise/core';

const largest = (2 - 2 ** -23) * 2 ** 127;

/**
 * Throws unless a token can be drawn from the scores of a row.
 *
 * @throws InputError naming the first token whose score is NaN or above float32's largest number, or for a row of −∞
 */
export function checkScores(what: string, scores: Float64Array, row = 0): void {
  const bad = scores.findIndex((score) => !(score <= largest));
  if (bad >= 0) throw refusedScore(what, row, bad, scores.length);
  if (scores.every((score) => score === Number.NEGATIVE_INFINITY)) {
    throw refusedScore(what, row, scores.length, scores.length);
  }
}

/**
 * Throws unless every id was drawn: −1 − v tells of the score of token v, −1 − V of a row of −∞.
 *
 * @throws InputError as `checkScores` does
 */
export function checkDrawn(what: string, ids: ArrayLike<number>, vocabulary: number): void {
  for (let row = 0; row < ids.length; row++) {
    if (ids[row]! < 0) throw refusedScore(what, row, -1 - ids[row]!, vocabulary);
  }
}

/** What the score of a token, or `V` for a row of −∞, is refused with. */
export function refusedScore(
  what: string,
  row: number,
  token: number,
  vocabulary: number,
): InputError {
  return new InputError(
    token < vocabulary
      ? `${what}: the score of token ${token} in row ${row} is NaN or +∞; expected a number, or −∞ for what cannot be drawn`
      : `${what}: all ${vocabulary} scores of row ${row} are −∞; expected a token that can be drawn`,
  );
}
