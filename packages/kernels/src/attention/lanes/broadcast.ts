import type { Others } from '../others.js';
import { each } from '../text.js';

/** How all lanes of a workgroup come to hold the same elements in storage. */
export interface Broadcast extends Others {
  readonly lanes: number;
  readonly enable: string[];
}

const index = (i: number): string => `${i}u`;

/** Every lane reads every element: no barrier, no subgroup, correct everywhere. */
export function directBroadcast(lanes: number): Broadcast {
  return {
    lanes,
    enable: [],
    index,
    declare: (name, count, of) => each(count, (i) => `let ${name}_${i} = ${of(`${i}u`, i)};`),
    take: (name, i) => `${name}_${i}`,
  };
}

/** Each lane reads an element, and hands it to all others; a workgroup is one subgroup. */
export function shuffleBroadcast(subgroup: number): Broadcast {
  return {
    lanes: subgroup,
    enable: ['subgroups'],
    index,
    declare: (name, count, of) =>
      each(
        Math.ceil(count / subgroup),
        (n) => `let ${name}_${n} = ${of(`(${n * subgroup}u + lane)`, n)};`,
      ),
    take: (name, i) => `subgroupBroadcast(${name}_${Math.floor(i / subgroup)}, ${i % subgroup}u)`,
  };
}
