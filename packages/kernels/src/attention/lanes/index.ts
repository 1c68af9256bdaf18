import { variants } from '../../dispatch/program.js';
import type { TableTiling, Tiled, Variant, Widths } from '../programs.js';
import type { Site } from '../score/score.js';
import { type Broadcast, directBroadcast, shuffleBroadcast } from './broadcast.js';
import { lanesForward } from './forward.js';
import { lanesKeyGradient } from './key-gradient.js';
import { capacityOf, type Owned, owned } from './owned.js';
import { lanesQueryGradient } from './query-gradient.js';
import { lanesTableGradient } from './table-gradient.js';

/** The widths of the arrays in which lanes keep their rows, for each pass. */
const arrays = {
  forward: ({ key, value }: Widths) => [key, value],
  queryGradient: ({ key, value }: Widths) => [key, value, key],
  keyGradient: ({ key, value }: Widths) => [key, value, key, value],
  tableGradient: ({ key, value }: Widths) => [key, value],
};
type Pass = keyof typeof arrays;
const passes = Object.keys(arrays) as Pass[];

/**
 * @param memory of a workgroup, bytes
 * @param rows that are broadcast at once
 * @param broadcastOf for arrays of some widths; undefined where there is no room
 */
function lanesTiling(
  key: string,
  memory: number,
  rows: number,
  broadcastOf: (widths: readonly number[]) => Broadcast | undefined,
): TableTiling {
  const fit = (pass: Pass, widths: Widths) => {
    const ofPass = arrays[pass](widths);
    const broadcast = broadcastOf(ofPass);
    const o = broadcast && owned(broadcast.lanes, ofPass, memory);
    return o && { broadcast, o };
  };
  const of = <P>(
    pass: Pass,
    make: (v: Variant, broadcast: Broadcast, o: Owned, rows: number) => Tiled<P>,
  ) =>
    variants(keyOf, (v: Variant) => {
      const { broadcast, o } = fit(pass, v.widths)!;
      return make(v, broadcast, o, rows);
    });
  const tableGradient = variants(
    ({ variant, sites }: { variant: Variant; sites: readonly Site[] }) =>
      `${keyOf(variant)}/${sites[0]?.table}`,
    ({ variant, sites }) => {
      const { broadcast, o } = fit('tableGradient', variant.widths)!;
      const tiled = lanesTableGradient(variant, broadcast, o, rows, sites);
      return { ...tiled, lanes: broadcast.lanes };
    },
  );
  return {
    key,
    fits: (widths) => passes.every((pass) => fit(pass, widths)),
    forward: of('forward', lanesForward),
    queryGradient: of('queryGradient', lanesQueryGradient),
    keyGradient: of('keyGradient', lanesKeyGradient),
    tableGradient: (variant, sites) => tableGradient({ variant, sites }),
  };
}

const keyOf = ({ widths, score }: Variant): string =>
  `${capacityOf(widths.key)}/${capacityOf(widths.value)}/${score.key}`;

/**
 * Lanes that own rows and read all else from storage themselves: no barriers, no subgroups.
 *
 * @param memory of a workgroup, bytes
 */
export const direct: (memory: number) => TableTiling = variants(String, (memory: number) =>
  lanesTiling('direct', memory, 4, (widths) => {
    const lanes = [16, 8, 4].find((n) => owned(n, widths, memory));
    return lanes === undefined ? undefined : directBroadcast(lanes);
  }),
);

/** Lanes that own rows and hand each other what they read; for devices whose subgroups have one size. */
export const shuffle: (device: { subgroup: number; memory: number }) => TableTiling = variants(
  ({ subgroup, memory }) => `${subgroup}/${memory}`,
  ({ subgroup, memory }) => {
    const broadcast = shuffleBroadcast(subgroup);
    // Many rows: a lane's own values in memory are read and written once for all of them.
    return lanesTiling(`shuffle${subgroup}`, memory, 32, () => broadcast);
  },
);
