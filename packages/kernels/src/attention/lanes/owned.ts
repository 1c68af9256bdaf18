import type { Layout, RowStats } from '../score/pairs.js';
import { each } from '../text.js';
import type { Broadcast } from './broadcast.js';

/** The rows that a lane owns: as the components of one vector, so that one instruction serves all. */
export interface Owned {
  lanes: number;
  /** Rows of a lane. */
  rows: 1 | 2 | 4;
}

/** Few sizes, so that heads of several widths share programs. */
export const capacityOf = (width: number): number => Math.max(32, 2 ** Math.ceil(Math.log2(width)));

/**
 * As many rows a lane as there is room for in the memory of a workgroup; undefined where there is none.
 *
 * Arrays in private memory would be set to zero element by element, and compiled so: minutes for wide heads.
 *
 * @param widths of the arrays in which lanes keep their rows
 * @param memory of a workgroup, bytes
 */
export function owned(lanes: number, widths: readonly number[], memory: number): Owned | undefined {
  const columns = widths.reduce((sum, width) => sum + capacityOf(width), 0);
  const rows = ([4, 2, 1] as const).find((n) => lanes * n * columns * 4 <= memory);
  return rows && { lanes, rows };
}

/** WGSL of the vector types in which scores are computed. */
export const vectorTypes = ({ rows }: Owned): string =>
  rows === 1
    ? 'alias Rows = f32; alias RowIndices = u32; alias RowInts = i32; alias RowBools = bool;'
    : `alias Rows = vec${rows}f; alias RowIndices = vec${rows}u;
      alias RowInts = vec${rows}i; alias RowBools = vec${rows}<bool>;`;

/** WGSL that declares arrays, by name and width, in which each lane keeps its own rows. */
export const ownArrays = ({ lanes }: Owned, arrays: Record<string, number>): string =>
  Object.entries(arrays)
    .map(([name, width]) => `var<workgroup> ${name}: array<Rows, ${lanes * capacityOf(width)}>;`)
    .join('\n');

/** WGSL of column `c` of the rows that the lane keeps in an array. */
export const own = ({ lanes }: Owned, name: string, column: string): string =>
  `${name}[(${column}) * ${lanes}u + lane]`;

/** WGSL of component `r`. */
export const part = ({ rows }: Owned, vector: string, r: number): string =>
  rows === 1 ? vector : `${vector}[${r}]`;

/** WGSL of a vector of `Rows` or `RowIndices` whose component `r` is `text(r)`. */
export const vector = (
  { rows }: Owned,
  type: 'Rows' | 'RowIndices',
  text: (r: number) => string,
): string => `${type}(${each(rows, text, ', ')})`;

/** WGSL of the first of the rows that a lane owns and their distances: neighbours lie in neighbouring lanes. */
export const ownIndices = (o: Owned, first: string): string =>
  `${first} + lane + ${vector(o, 'RowIndices', (r) => `${r * o.lanes}u`)}`;

/** Where pairs of a lane's own rows and `count` others lie. */
export const layoutOf = (
  axis: 'q' | 'k',
  { rows }: Owned,
  others: Broadcast,
  count: number,
): Layout => ({ own: axis, rows, adjacent: false, others, count });

/** WGSL of what is known of the lane's own queries. */
export const rowStats: RowStats = { largest: 'largest', logSum: 'log_sum', delta: 'delta' };
