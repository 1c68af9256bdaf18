import { stringToUnits } from '../text/normalized-text.js';
import type { PieceLattice } from './piece-lattice.js';
import type { CountedWord } from './words.js';

/**
 * Drops the pieces whose loss makes the words least unlikely, each spelled by the next best pieces instead.
 *
 * @param size pieces to be left
 * @returns how many are left
 * @see Kudo 2018, https://arxiv.org/abs/1804.10959, section 3.2
 */
export function prune(
  lattice: PieceLattice,
  pieces: readonly string[],
  corpus: readonly CountedWord[],
  size: number,
): number {
  const { scores } = lattice;
  const frequencies = new Float64Array(pieces.length);
  let words = 0;
  for (const { units, count } of corpus) {
    words += count;
    for (const id of lattice.best(units)!) if (id >= 0) frequencies[id]! += count;
  }
  const total = frequencies.reduce((sum, frequency) => sum + frequency, 0);
  const logTotal = Math.log(total);
  const losses: { id: number; loss: number }[] = [];
  let kept = 0;
  const dropped: number[] = [];
  pieces.forEach((piece, id) => {
    if (scores[id] === Number.NEGATIVE_INFINITY) return;
    const units = stringToUnits(piece);
    const alternatives = alternativesTo(lattice, units, id);
    const frequency = frequencies[id]!;
    if (frequency === 0 && alternatives !== undefined) dropped.push(id);
    else if (!alternatives || alternatives.length === 0) kept++;
    else {
      const logAlternatives = Math.log(total + frequency * (alternatives.length - 1));
      let logProbability = 0;
      for (const other of alternatives) {
        const others = other >= 0 ? frequencies[other]! : 0;
        logProbability += Math.log(others + frequency) - logAlternatives;
      }
      const loss = (frequency / words) * (Math.log(frequency) - logTotal - logProbability);
      losses.push({ id, loss });
    }
  });
  losses.sort((a, b) => b.loss - a.loss);
  const room = Math.max(0, size - kept);
  for (const { id } of losses.slice(room)) dropped.push(id);
  for (const id of dropped) scores[id] = Number.NEGATIVE_INFINITY;
  lattice.update();
  return kept + Math.min(room, losses.length);
}

/**
 * The pieces that would spell a piece without it: undefined where there are none, an empty list where it is not even
 * the best spelling of itself.
 */
function alternativesTo(
  lattice: PieceLattice,
  units: Uint16Array,
  id: number,
): number[] | undefined {
  const best = lattice.best(units)!;
  if (best.length > 1) return [];
  const isCharacter = units.length === 1 || (units.length === 2 && (units[0]! & 0xfc00) === 0xd800);
  return isCharacter ? undefined : lattice.best(units, id);
}
