import { refuse } from '@headwise/core/internal';
import { checkIsMask, type Mask } from './masks/mask.js';
import type { ScoreMod } from './mods.js';

const aMod = 'what scoreMod(…) makes, such as scoreMod((score) => score.mul(2))';

/**
 * Throws unless a mask is a mask and mods are mods, where they are given.
 *
 * @param op names what was called in the message
 * @throws InputError with what was given and what was expected
 */
export function checkScoring(
  op: string,
  { mask, mods }: { mask?: Mask | undefined; mods?: readonly ScoreMod[] | undefined },
): void {
  if (mask !== undefined) checkIsMask(`${op}: mask`, mask);
  if (mods === undefined) return;
  if (!Array.isArray(mods)) refuse(`${op}: mods`, mods, 'a list of score mods');
  for (const [i, mod] of mods.entries()) {
    if (typeof mod?.of !== 'function') refuse(`${op}: mods[${i}]`, mod, aMod);
  }
}
