import { variants } from '../../dispatch/program.js';
import type { TableTiling, Tiled, Variant, Widths } from '../programs.js';
import type { TableLookup } from '../score/score.js';
import { directBroadcast, type LaneBroadcast, shuffleBroadcast } from './broadcast.js';
import { lanesForward } from './forward.js';
import { lanesKeyGradient } from './key-gradient.js';
import { capacityOf, type LaneRows, laneRowsFor } from './lane-rows.js';
import { lanesQueryGradient } from './query-gradient.js';
import { lanesTableGradient } from './table-gradient.js';

/** The widths of the arrays in workgroup memory that hold the lanes' rows, for each pass. */
const arrays = {
  forward: ({ key, value }: Widths) => [key, value],
  queryGradient: ({ key, value }: Widths) => [key, value, key],
  keyGradient: ({ key, value }: Widths) => [key, value, key, value],
  tableGradient: ({ key, value }: Widths) => [key, value],
};
type Pass = keyof typeof arrays;
const passes = Object.keys(arrays) as Pass[];

/**
 * A tiling in which each lane holds rows of one axis and the rows of the other axis are broadcast.
 *
 * @param memory workgroup memory, bytes
 * @param rows rows of a tile, broadcast together
 * @param broadcastOf the broadcast for arrays of some widths; undefined where they do not fit in the memory
 */
function lanesTiling(
  key: string,
  memory: number,
  rows: number,
  broadcastOf: (widths: readonly number[]) => LaneBroadcast | undefined,
): TableTiling {
  const fit = (pass: Pass, widths: Widths) => {
    const ofPass = arrays[pass](widths);
    const broadcast = broadcastOf(ofPass);
    const o = broadcast && laneRowsFor(broadcast.lanes, ofPass, memory);
    return o && { broadcast, o };
  };
  const of = <P>(
    pass: Pass,
    make: (v: Variant, broadcast: LaneBroadcast, o: LaneRows, rows: number) => Tiled<P>,
  ) =>
    variants(keyOf, (v: Variant) => {
      const { broadcast, o } = fit(pass, v.widths)!;
      return make(v, broadcast, o, rows);
    });
  const tableGradient = variants(
    ({ variant, lookups }: { variant: Variant; lookups: readonly TableLookup[] }) =>
      `${keyOf(variant)}/${lookups[0]?.table}`,
    ({ variant, lookups }) => {
      const { broadcast, o } = fit('tableGradient', variant.widths)!;
      const tiled = lanesTableGradient(variant, broadcast, o, rows, lookups);
      return { ...tiled, lanes: broadcast.lanes };
    },
  );
  return {
    key,
    fits: (widths) => passes.every((pass) => fit(pass, widths)),
    forward: of('forward', lanesForward),
    queryGradient: of('queryGradient', lanesQueryGradient),
    keyGradient: of('keyGradient', lanesKeyGradient),
    tableGradient: (variant, lookups) => tableGradient({ variant, lookups }),
  };
}

const keyOf = ({ widths, score, joined = false, makesRows = false }: Variant): string =>
  `${capacityOf(widths.key)}/${capacityOf(widths.value)}/${joined}/${makesRows}/${score.key}`;

/**
 * Each lane reads the rows of the other axis from storage: no barriers, no subgroup operations.
 *
 * @param memory workgroup memory, bytes
 */
export const direct: (memory: number) => TableTiling = variants(String, (memory: number) =>
  lanesTiling('direct', memory, 4, (widths) => {
    const lanes = [16, 8, 4].find((n) => laneRowsFor(n, widths, memory));
    return lanes === undefined ? undefined : directBroadcast(lanes);
  }),
);

/** Lanes broadcast the rows that they read to their subgroup; for devices whose subgroups have one fixed size. */
export const shuffle: (device: { subgroup: number; memory: number }) => TableTiling = variants(
  ({ subgroup, memory }) => `${subgroup}/${memory}`,
  ({ subgroup, memory }) => {
    const broadcast = shuffleBroadcast(subgroup);
    // A large tile: the lane's own rows in workgroup memory are read and written once for all of its rows.
    return lanesTiling(`shuffle${subgroup}`, memory, 32, () => broadcast);
  },
);
