import { each } from '../text.js';

/** How all lanes of a workgroup come to hold the same elements of several rows in storage. */
export interface Broadcast {
  readonly lanes: number;
  readonly enable: string[];
  /** Columns of a row that are read at once. */
  readonly columns: number;
  /** Rows whose products are summed up in one loop: as many as registers and the stack bear. */
  readonly rowsPerLoop: number;
  /**
   * WGSL that finds `count` rows: row `i` begins at `start(i)`, an expression of `i`.
   *
   * @param name of the variables that it declares
   */
  find(name: string, count: number, start: (i: string) => string): string;
  /** WGSL that reads columns `c … c + columns` of `count` rows found under a name, from row `from` on. */
  read(name: string, buffer: string, found: string, count: number, from?: number): string;
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
    rowsPerLoop: 16,
    find: (name, count, start) => each(count, (i) => `let ${name}_${i} = ${start(`${i}u`)};`),
    read: (name, buffer, found, count, from = 0) =>
      each(count, (n) => `let ${name}_${from + n} = ${buffer}[${found}_${from + n} + c];`),
    take: (name, i) => `${name}_${i}`,
    readElements: (name, count, element) =>
      each(count, (i) => `let ${name}_${i} = ${element(`${i}u`)};`),
    takeElement: (name, i) => `${name}_${i}`,
  };
}

/**
 * Each lane reads one element, and hands it to all others; a workgroup is one subgroup.
 *
 * @param columns lanes that read one row; the next lanes read the next
 */
export function shuffleBroadcast(subgroup: number, columns: number): Broadcast {
  const rows = subgroup / columns;
  return {
    lanes: subgroup,
    enable: ['subgroups'],
    columns,
    rowsPerLoop: Math.max(16, rows),
    find: (name, count, start) =>
      each(
        Math.ceil(count / rows),
        (i) => `let ${name}_${i} = ${start(`(${i * rows}u + lane / ${columns}u)`)};`,
      ),
    read: (name, buffer, found, count, from = 0) => /* wgsl */ `
      // Columns beyond the row's width must count as nothing, whatever lies there.
      let ${name}_column = c + lane % ${columns}u;
      let ${name}_in_row = ${name}_column < params.width;
      let ${name}_at = min(${name}_column, params.width - 1u);
      ${each(Math.ceil(count / rows), (n) => {
        const i = from / rows + n;
        return `let ${name}_${i} = select(0.0, ${buffer}[${found}_${i} + ${name}_at], ${name}_in_row);`;
      })}
    `,
    take: (name, i, x) =>
      `subgroupBroadcast(${name}_${Math.floor(i / rows)}, ${(i % rows) * columns + x}u)`,
    readElements: (name, count, element) =>
      each(
        Math.ceil(count / subgroup),
        (i) => `let ${name}_${i} = ${element(`(${i * subgroup}u + lane)`)};`,
      ),
    takeElement: (name, i) =>
      `subgroupBroadcast(${name}_${Math.floor(i / subgroup)}, ${i % subgroup}u)`,
  };
}

/** The texts of loops that each take some of `count` rows. */
export function inGroups(
  { rowsPerLoop }: Broadcast,
  count: number,
  text: (from: number, count: number) => string,
): string {
  const size = Math.min(count, rowsPerLoop);
  return each(count / size, (group) => text(group * size, size));
}
