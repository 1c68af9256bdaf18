import { each } from '../text.js';

/** How all lanes of a workgroup come to hold the same elements in storage. */
export interface Broadcast {
  readonly lanes: number;
  readonly enable: string[];
  /**
   * WGSL that declares `${name}_0`, `${name}_1` … with something of each of `count` elements.
   *
   * @param of WGSL of the n-th declaration, which is about the element of this index
   */
  declare(name: string, count: number, of: (index: string, n: number) => string): string;
  /** WGSL of what was declared of element `i`, known to all lanes. */
  take(name: string, i: number): string;
}

/** Every lane reads every element: no barrier, no subgroup, correct everywhere. */
export function directBroadcast(lanes: number): Broadcast {
  return {
    lanes,
    enable: [],
    declare: (name, count, of) => each(count, (i) => `let ${name}_${i} = ${of(`${i}u`, i)};`),
    take: (name, i) => `${name}_${i}`,
  };
}

/** Each lane reads an element, and hands it to all others; a workgroup is one subgroup. */
export function shuffleBroadcast(subgroup: number): Broadcast {
  return {
    lanes: subgroup,
    enable: ['subgroups'],
    declare: (name, count, of) =>
      each(
        Math.ceil(count / subgroup),
        (n) => `let ${name}_${n} = ${of(`(${n * subgroup}u + lane)`, n)};`,
      ),
    take: (name, i) => `subgroupBroadcast(${name}_${Math.floor(i / subgroup)}, ${i % subgroup}u)`,
  };
}
