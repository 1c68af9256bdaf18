import { each } from '../text.js';

/** The rows that a lane owns: as the components of one vector, so that one instruction serves all. */
export interface Owned {
  lanes: number;
  /** Rows of a lane. */
  rows: 1 | 2 | 4;
  /** Columns that there is room for. */
  capacity: number;
}

/** Few sizes, so that heads of several widths share programs. */
export const capacityOf = (width: number): number => Math.max(32, 2 ** Math.ceil(Math.log2(width)));

/**
 * As many rows a lane as `arrays` of them find room for in the memory of a workgroup; undefined where none do.
 *
 * Arrays in private memory would be set to zero element by element, and compiled so: minutes for wide heads.
 *
 * @param memory of a workgroup, bytes
 */
export function owned(
  lanes: number,
  width: number,
  arrays: number,
  memory: number,
): Owned | undefined {
  const capacity = capacityOf(width);
  const rows = ([4, 2, 1] as const).find((n) => arrays * lanes * n * capacity * 4 <= memory);
  return rows && { lanes, rows, capacity };
}

/** WGSL of the vector types; also those that `score` is written in. */
export const vectorTypes = ({ rows }: Owned): string =>
  rows === 1
    ? 'alias Rows = f32; alias RowIndices = u32;'
    : `alias Rows = vec${rows}f; alias RowIndices = vec${rows}u;`;

/** WGSL that declares arrays in which each lane keeps its own rows. */
export const ownArrays = ({ lanes, capacity }: Owned, ...names: string[]): string =>
  names.map((name) => `var<workgroup> ${name}: array<Rows, ${lanes * capacity}>;`).join('\n');

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
