import type { PairLayout } from '../score/pair-layout.js';
import type { RowStats } from '../score/pairs.js';
import { each } from '../text.js';
import type { LaneBroadcast } from './broadcast.js';

/** The rows of one axis that a lane computes: components of one vector, so that one instruction serves all. */
export interface LaneRows {
  lanes: number;
  /** Rows per lane. */
  rows: 1 | 2 | 4;
}

/** The array size for heads of some width: a power of 2, so that heads of several widths share programs. */
export const capacityOf = (width: number): number => Math.max(32, 2 ** Math.ceil(Math.log2(width)));

/**
 * The most rows per lane that fit in workgroup memory; undefined where not even one does.
 *
 * Private arrays would be initialised element by element: drivers take minutes to compile that for wide heads.
 *
 * @param widths the widths of the arrays that hold the lanes' rows
 * @param memory workgroup memory, bytes
 */
export function laneRowsFor(
  lanes: number,
  widths: readonly number[],
  memory: number,
): LaneRows | undefined {
  const columns = widths.reduce((sum, width) => sum + capacityOf(width), 0);
  const rows = ([4, 2, 1] as const).find((n) => lanes * n * columns * 4 <= memory);
  return rows && { lanes, rows };
}

/** WGSL that declares `Rows`, `RowIndices`, `RowInts` and `RowBools`, vectors with one component per row of the lane. */
export const vectorTypes = ({ rows }: LaneRows): string =>
  rows === 1
    ? 'alias Rows = f32; alias RowIndices = u32; alias RowInts = i32; alias RowBools = bool;'
    : `alias Rows = vec${rows}f; alias RowIndices = vec${rows}u;
      alias RowInts = vec${rows}i; alias RowBools = vec${rows}<bool>;`;

/** WGSL that declares workgroup arrays, by name and width: `[width, lanes]` of `Rows`. */
export const laneArrays = ({ lanes }: LaneRows, arrays: Record<string, number>): string =>
  Object.entries(arrays)
    .map(([name, width]) => `var<workgroup> ${name}: array<Rows, ${lanes * capacityOf(width)}>;`)
    .join('\n');

/** WGSL of column `c` of the lane's rows in an array. */
export const laneValue = ({ lanes }: LaneRows, name: string, column: string): string =>
  `${name}[(${column}) * ${lanes}u + lane]`;

/** WGSL of component `r` of a vector with one component per row. */
export const part = ({ rows }: LaneRows, vector: string, r: number): string =>
  rows === 1 ? vector : `${vector}[${r}]`;

/** WGSL of a vector of `Rows` or `RowIndices` whose component `r` is `text(r)`. */
export const vector = (
  { rows }: LaneRows,
  type: 'Rows' | 'RowIndices',
  text: (r: number) => string,
): string => `${type}(${each(rows, text, ', ')})`;

/** WGSL (`RowIndices`) of the lane's rows: neighbouring rows belong to neighbouring lanes. */
export const laneRowIndices = (o: LaneRows, first: string): string =>
  `${first} + lane + ${vector(o, 'RowIndices', (r) => `${r * o.lanes}u`)}`;

/** The layout of pairs of a lane's rows with the `count` rows of a tile. */
export const layoutOf = (
  axis: 'q' | 'k',
  { rows }: LaneRows,
  broadcast: LaneBroadcast,
  count: number,
): PairLayout => ({ laneAxis: axis, rows, adjacent: false, broadcast, count });

/** WGSL (`Rows`) of the statistics of the lane's queries. */
export const rowStats: RowStats = { largest: 'largest', logSum: 'log_sum', delta: 'delta' };
