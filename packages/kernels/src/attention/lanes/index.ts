import { variants } from '../../dispatch/program.js';
import type { Tiled, Tiling, Variant } from '../programs.js';
import { type Broadcast, directBroadcast, shuffleBroadcast } from './broadcast.js';
import { lanesForward } from './forward.js';
import { lanesKeyGradient } from './key-gradient.js';
import { capacityOf, type Owned, owned } from './owned.js';
import { lanesQueryGradient } from './query-gradient.js';

const passes = {
  forward: { make: lanesForward, arrays: 2 },
  queryGradient: { make: lanesQueryGradient, arrays: 3 },
  keyGradient: { make: lanesKeyGradient, arrays: 4 },
} as const;
type Pass = keyof typeof passes;

/**
 * @param rows that are broadcast at once
 * @param broadcastOf for heads of a width and a number of arrays; undefined where there is no room
 */
function lanesTiling(
  key: string,
  memory: number,
  rows: number,
  broadcastOf: (width: number, arrays: number) => Broadcast | undefined,
): Tiling {
  const fit = (pass: Pass, width: number) => {
    const { arrays } = passes[pass];
    const broadcast = broadcastOf(width, arrays);
    const o = broadcast && owned(broadcast.lanes, width, arrays, memory);
    return o && { broadcast, o };
  };
  const of = <P>(
    pass: Pass,
    make: (v: Variant, broadcast: Broadcast, o: Owned, rows: number) => Tiled<P>,
  ) =>
    variants(
      ({ width, score, padded }: Variant) => `${capacityOf(width)}/${score.key}/${padded}`,
      (v) => {
        const { broadcast, o } = fit(pass, v.width)!;
        return make(v, broadcast, o, rows);
      },
    );
  return {
    key,
    fits: (width) => Object.keys(passes).every((pass) => fit(pass as Pass, width)),
    forward: of('forward', passes.forward.make),
    queryGradient: of('queryGradient', passes.queryGradient.make),
    keyGradient: of('keyGradient', passes.keyGradient.make),
  };
}

/**
 * Lanes that own rows and read all else from storage themselves: no barriers, no subgroups.
 *
 * @param memory of a workgroup, bytes
 */
export const direct: (memory: number) => Tiling = variants(String, (memory: number) =>
  lanesTiling('direct', memory, 4, (width, arrays) => {
    const lanes = [16, 8, 4].find((n) => owned(n, width, arrays, memory));
    return lanes === undefined ? undefined : directBroadcast(lanes);
  }),
);

/** Lanes that own rows and hand each other what they read; for devices whose subgroups have one size. */
export const shuffle: (device: { subgroup: number; memory: number }) => Tiling = variants(
  ({ subgroup, memory }) => `${subgroup}/${memory}`,
  ({ subgroup, memory }) => {
    const broadcast = shuffleBroadcast(subgroup);
    // Many rows: a lane's own values in memory are read and written once for all of them.
    return lanesTiling(`shuffle${subgroup}`, memory, 32, () => broadcast);
  },
);
