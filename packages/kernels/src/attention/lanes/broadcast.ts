import type { RowBroadcast } from '../row-broadcast.js';
import { each } from '../text.js';

/** A `RowBroadcast` for a workgroup of some lanes, with the WGSL extensions that it needs. */
export interface LaneBroadcast extends RowBroadcast {
  readonly lanes: number;
  readonly enable: string[];
}

const index = (i: number): string => `${i}u`;

/** Every lane reads every row's value from storage: no barrier and no subgroup operation. */
export function directBroadcast(lanes: number): LaneBroadcast {
  return {
    lanes,
    enable: [],
    index,
    declare: (name, count, of) => each(count, (i) => `let ${name}_${i} = ${of(`${i}u`, i)};`),
    read: (name, i) => `${name}_${i}`,
  };
}

/** Each lane reads the value of one row and broadcasts it by `subgroupBroadcast`; a workgroup is one subgroup. */
export function shuffleBroadcast(subgroup: number): LaneBroadcast {
  return {
    lanes: subgroup,
    enable: ['subgroups'],
    index,
    declare: (name, count, of) =>
      each(
        Math.ceil(count / subgroup),
        (n) => `let ${name}_${n} = ${of(`(${n * subgroup}u + lane)`, n)};`,
      ),
    read: (name, i) => `subgroupBroadcast(${name}_${Math.floor(i / subgroup)}, ${i % subgroup}u)`,
  };
}
