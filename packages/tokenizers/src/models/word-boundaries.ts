import type { Vocabulary } from '../vocabulary.js';
import type { MergeTable } from './merge-table.js';

/**
 * The code units after which a text can be cut in front of `boundary` without changing its tokens.
 *
 * Merging goes on within the parts as in the whole as long as no merge joins a token that ends with such a unit
 * with one that begins with `boundary`.
 *
 * @returns one byte per code unit, 1 where it can be cut; undefined where `boundary` is not a token
 */
export function boundariesBefore(
  boundary: number,
  vocab: Vocabulary,
  merges: MergeTable,
): Uint8Array | undefined {
  if (vocab.find(Uint16Array.of(boundary), 0, 1) < 0) return undefined;
  const cuts = new Uint8Array(2 ** 16).fill(1);
  const begins = vocab.beginningWith(boundary);
  const { list } = merges;
  for (let i = 0; i < 3 * merges.size; i += 3) {
    if (begins[list[i + 1]!] === 1) cuts[vocab.lastUnit(list[i]!)] = 0;
  }
  return cuts;
}
