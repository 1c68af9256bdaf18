import { variants } from '../../dispatch/program.js';
import type { Tiling, Variant } from '../programs.js';
import { lanesKeyGradient, lanesQueryGradient } from './backward.js';
import { type Broadcast, directBroadcast, shuffleBroadcast } from './broadcast.js';
import { capacityOf, lanesForward } from './forward.js';

const variantKey = ({ width, score, padded }: Variant) =>
  `${capacityOf(width)}/${score.key}/${padded}`;

/** How a pass over tiles is cut. */
interface Cut {
  broadcast: Broadcast;
  /** Rows that are broadcast at once. */
  rows: number;
}

function lanesTiling(
  key: string,
  cuts: Record<'forward' | 'queryGradient' | 'keyGradient', Cut>,
): Tiling {
  const of = <P>(make: (v: Variant, broadcast: Broadcast, rows: number) => P, cut: Cut) =>
    variants(variantKey, (v: Variant) => make(v, cut.broadcast, cut.rows));
  return {
    key,
    forward: of(lanesForward, cuts.forward),
    queryGradient: of(lanesQueryGradient, cuts.queryGradient),
    keyGradient: of(lanesKeyGradient, cuts.keyGradient),
  };
}

const everyLane: Cut = { broadcast: directBroadcast(16), rows: 4 };

/** Lanes that own rows and read all else from storage themselves: needs nothing of the device. */
export const direct: Tiling = lanesTiling('direct', {
  forward: everyLane,
  queryGradient: everyLane,
  keyGradient: everyLane,
});

/** Lanes that own rows and hand each other what they read; for devices whose subgroups have one size. */
export const shuffle: (subgroup: number) => Tiling = variants(String, (subgroup: number) => {
  // Few columns at once: more would not fit in registers, and take longer to compile.
  const two: Cut = { broadcast: shuffleBroadcast(subgroup, 2), rows: 16 };
  const one: Cut = { broadcast: shuffleBroadcast(subgroup, 1), rows: 16 };
  return lanesTiling(`shuffle${subgroup}`, { forward: two, queryGradient: two, keyGradient: one });
});
