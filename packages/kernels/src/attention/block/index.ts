import { variants } from '../../dispatch/program.js';
import type { Tiling, Variant } from '../programs.js';
import { blockKeyGradient, blockQueryGradient } from './backward.js';
import { blockForward } from './forward.js';

const variantKey = ({ score, joined = false, makesRows = false }: Variant) =>
  `${joined}/${makesRows}/${score.key}`;

/**
 * Blocks of queries and keys in the memory of a workgroup, tiles of scores and sums in registers: made
 * for devices that have many of both. Needs no subgroups, and programs do not depend on the width.
 */
export const block: Tiling = {
  key: 'block',
  fits: () => true,
  forward: variants(variantKey, blockForward),
  queryGradient: variants(variantKey, blockQueryGradient),
  keyGradient: variants(variantKey, blockKeyGradient),
};
