import { variants } from '../../dispatch/program.js';
import type { Tiled, Tiling, Variant } from '../programs.js';
import { type Broadcast, directBroadcast, shuffleBroadcast } from './broadcast.js';
import { lanesForward } from './forward.js';
import { lanesKeyGradient } from './key-gradient.js';
import { capacityOf, type Owned, owned } from './owned.js';
import { lanesQueryGradient } from './query-gradient.js';

/** How a pass over tiles is cut. */
interface Cut {
  broadcast: Broadcast;
  /** Rows that are broadcast at once. */
  rows: number;
}

const passes = {
  forward: { make: lanesForward, arrays: 2 },
  queryGradient: { make: lanesQueryGradient, arrays: 3 },
  keyGradient: { make: lanesKeyGradient, arrays: 4 },
} as const;

function lanesTiling(
  key: string,
  memory: number,
  cutOf: (pass: keyof typeof passes, width: number) => Cut | undefined,
): Tiling {
  const fit = (pass: keyof typeof passes, width: number) => {
    const cut = cutOf(pass, width);
    const o = cut && owned(cut.broadcast.lanes, width, passes[pass].arrays, memory);
    return o && { ...cut, o };
  };
  const of = <P>(
    pass: keyof typeof passes,
    make: (v: Variant, broadcast: Broadcast, o: Owned, rows: number) => Tiled<P>,
  ) =>
    variants(
      ({ width, score, padded }: Variant) => `${capacityOf(width)}/${score.key}/${padded}`,
      (v) => {
        const { broadcast, o, rows } = fit(pass, v.width)!;
        return make(v, broadcast, o, rows);
      },
    );
  return {
    key,
    fits: (width) => Object.keys(passes).every((pass) => fit(pass as keyof typeof passes, width)),
    forward: of('forward', lanesForward),
    queryGradient: of('queryGradient', lanesQueryGradient),
    keyGradient: of('keyGradient', lanesKeyGradient),
  };
}

/**
 * Lanes that own rows and read all else from storage themselves: no barriers, no subgroups.
 *
 * @param memory of a workgroup, bytes
 */
export const direct: (memory: number) => Tiling = variants(String, (memory: number) =>
  lanesTiling('direct', memory, (pass, width) => {
    const lanes = [16, 8, 4].find((n) => owned(n, width, passes[pass].arrays, memory));
    return lanes === undefined ? undefined : { broadcast: directBroadcast(lanes), rows: 4 };
  }),
);

/** Lanes that own rows and hand each other what they read; for devices whose subgroups have one size. */
export const shuffle: (device: { subgroup: number; memory: number }) => Tiling = variants(
  ({ subgroup, memory }) => `${subgroup}/${memory}`,
  ({ subgroup, memory }) => {
    // Few columns at once: more would not fit in registers, and take longer to compile.
    const two: Cut = { broadcast: shuffleBroadcast(subgroup, 2), rows: 16 };
    const one: Cut = { broadcast: shuffleBroadcast(subgroup, 1), rows: 16 };
    return lanesTiling(`shuffle${subgroup}`, memory, (pass) =>
      pass === 'keyGradient' ? one : two,
    );
  },
);
