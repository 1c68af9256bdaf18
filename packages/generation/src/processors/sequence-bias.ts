import { isBegun } from './bad-words.js';

/** A sequence of ids, and what is added to the score of its last id where its other ids come before; −∞ forbids it. */
export type SequenceBias = readonly [ids: readonly number[], bias: number];

/**
 * What is added to the score of each id.
 *
 * @returns sums over all biases of the id
 */
export function biasesAfter(
  biases: readonly SequenceBias[],
  sequence: readonly number[],
): Map<number, number> {
  const sums = new Map<number, number>();
  for (const [ids, bias] of biases) {
    if (!isBegun(ids, sequence)) continue;
    const last = ids.at(-1)!;
    sums.set(last, (sums.get(last) ?? 0) + bias);
  }
  return sums;
}
