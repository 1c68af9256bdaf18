import { each } from '../text.js';

/** How all lanes of a workgroup come to hold the same elements of several rows in storage. */
export interface Broadcast {
  readonly lanes: number;
  readonly enable: string[];
  /** Columns of a row that are read at once. */
  readonly columns: number;
  /**
   * WGSL that finds `count` rows: row `i` begins at `start(i)`, an expression of `i`.
   *
   * @param name of the variables that it declares
   */
  find(name: string, count: number, start: (i: string) => string): string;
  /** WGSL that reads columns `c … c + columns` of the rows found under a name. */
  read(name: string, buffer: string, found: string, count: number): string;
  /** WGSL of column `c + x` of row `i` of those read. */
  take(name: string, i: number, x: number): string;
  /** WGSL that reads `count` whole elements: element `i` is `element(i)`, an expression of `i`. */
  readElements(name: string, count: number, element: (i: string) => string): string;
  /** WGSL of element `i` of those read. */
  takeElement(name: string, i: number): string;
}

/** Every lane reads every element: no barrier, no subgroup, correct everywhere. */
export function directBroadcast(lanes: number): Broadcast {
  return {
    lanes,
    enable: [],
    columns: 1,
    find: (name, count, start) => each(count, (i) => `let ${name}_${i} = ${start(`${i}u`)};`),
    read: (name, buffer, found, count) =>
      each(count, (i) => `let ${name}_${i} = ${buffer}[${found}_${i} + c];`),
    take: (name, i) => `${name}_${i}`,
    readElements: (name, count, element) =>
      each(count, (i) => `let ${name}_${i} = ${element(`${i}u`)};`),
    takeElement: (name, i) => `${name}_${i}`,
  };
}

/**
 * Each lane reads one element, and hands it to the others by a shuffle; a workgroup is one subgroup.
 *
 * @param columns lanes that read one row; the next lanes read the next
 */
export function shuffleBroadcast(subgroup: number, columns: number): Broadcast {
  const rows = subgroup / columns;
  return {
    lanes: subgroup,
    enable: ['subgroups'],
    columns,
    find: (name, count, start) =>
      each(
        Math.ceil(count / rows),
        (i) => `let ${name}_${i} = ${start(`(${i * rows}u + lane / ${columns}u)`)};`,
      ),
    read: (name, buffer, found, count) => /* wgsl */ `
      // Columns beyond the row's width must count as nothing, whatever lies there.
      let ${name}_column = c + lane % ${columns}u;
      let ${name}_in_row = ${name}_column < params.width;
      ${each(
        Math.ceil(count / rows),
        (i) =>
          `let ${name}_${i} = select(0.0, ${buffer}[${found}_${i} + min(${name}_column, params.width - 1u)], ${name}_in_row);`,
      )}
    `,
    take: (name, i, x) =>
      `subgroupShuffle(${name}_${Math.floor(i / rows)}, ${(i % rows) * columns + x}u)`,
    readElements: (name, count, element) =>
      each(
        Math.ceil(count / subgroup),
        (i) => `let ${name}_${i} = ${element(`(${i * subgroup}u + lane)`)};`,
      ),
    takeElement: (name, i) =>
      `subgroupShuffle(${name}_${Math.floor(i / subgroup)}, ${i % subgroup}u)`,
  };
}
