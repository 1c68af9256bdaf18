import { spread } from '../dispatch/dispatch.js';
import type { ElementType } from '../dispatch/program.js';
import type { RowGroup } from '../dispatch/row-group.js';

/** What the entry point of a product `C = A B` is written for. */
export interface ProductForm {
  /** Elements of B and C: `vec2f` multiplies A with two matrices at once. */
  value: 'f32' | 'vec2f';
  /** Values along the inner axis that lie in one word of B: 1, or more where they are packed. */
  pack: number;
  /**
   * Only for few rows: B may be read four values at a time along its contiguous axis, by
   * `load_b(start, step) -> array<vec4f, pack>`, of two matrices `array<mat2x4f, pack>`; a tiling that does so is `wide`.
   */
  wide?: boolean | undefined;
  /**
   * Only for many rows: these are of several matrices, each padded to whole tiles; a lane calls `begin_tile(row)` with a row of
   * its tile before anything else.
   */
  batched?: boolean | undefined;
  /**
   * C has a multiple of four columns and lies row by row: a tiling may call `store_four(row, column, sums: vec4f)` in place of
   * `store`, and `storesFours` then.
   */
  fours?: boolean | undefined;
  /** Also sums the columns of B: `store_sum(column, sum)` is called once for each. */
  columnSums: boolean;
  /**
   * Only for few rows: code with a function `prologue(lane)`, which all lanes of a workgroup call
   * before they load anything; `rereads` as of `Tiling`.
   */
  prologue?: ((group: RowGroup, rereads: boolean) => string) | undefined;
  /** Blocks of columns that a workgroup computes after a prologue, where B's columns are contiguous; default 16. */
  blocks?: number | undefined;
}

/**
 * The axis along which a tiling reads neighbouring values of A, and of B, at once: four lines at one step, from a line that is a
 * multiple of four on, or two steps of one line, from an even step on.
 */
export type Along = Readonly<Record<'a' | 'b', 'inner' | 'lines'>>;

/**
 * A way to cut a product into workgroups.
 *
 * Its entry point is written over functions of the program that it is put into:
 * `load_a(start, k) -> f32` from `a_start(row)` on; `load_b(start, step) -> array<value, pack>` from
 * `b_start(column)` on, where `k = step · pack`; `store(row, column, sum)` and perhaps `store_sum`;
 * and over `params.rows`, `.columns`, `.inner` and `.steps`. The starts keep products of indices out
 * of the inner loop.
 */
export interface Tiling {
  /** Tells the tilings of one form apart. */
  key: string;
  /** Rows of C that a tile has, of the tilings that take several matrices. */
  rows?: number | undefined;
  /** Numbers of workgroups for a C of so many rows and columns. */
  workgroups: (rows: number, columns: number) => [number, number, number];
  /** Values along the inner axis that it takes from one call of `load_b`: 1, the form's, or 4 of a `wide` form. */
  pack: number;
  /**
   * `load_b` gives four values: of neighbouring columns, or along the inner axis where that is
   * contiguous, and then a step is four of it.
   */
  wide?: boolean | undefined;
  /**
   * `load_a(start, k)` gives neighbours too, and both load functions what `along` says: `vec4f` of lines, `vec2f` of steps. `laidFor`
   * copies an operand that lies otherwise.
   */
  along?: Along | undefined;
  /** Stores four neighbouring columns of a row at once, by `store_four`. */
  storesFours?: boolean | undefined;
  /** Loads A's values again for each block of columns, so that a prologue should keep what it makes of them. */
  rereads?: boolean | undefined;
  /** WGSL extensions that it needs. */
  enable: readonly string[];
  /** Its code, which is long: made for new programs alone. */
  wgsl: () => string;
}

/** How the values of a matrix are stored; they are multiplied and added as f32. */
export type Stored = 'f32' | 'f16';

/** Whether a B of float32 is read by `vec4f`. */
export const readsFours = ({ wide, pack }: Pick<Tiling, 'wide' | 'pack'>): boolean =>
  wide === true || pack === 4;

/** Values that are read at once. */
export type Width = 1 | 2 | 4;

/** The elements of a buffer of values that is read so many at a time. */
export const elementsOf = (stored: Stored, width: Width = 1): ElementType =>
  width === 1 ? stored : `vec${width}${stored === 'f16' ? 'h' : 'f'}`;

/** WGSL of a value, or of several, as f32. */
export const asFloat = (code: string, stored: Stored, width: Width = 1): string =>
  stored === 'f32' ? code : `${width === 1 ? 'f32' : `vec${width}f`}(${code})`;

/** Values of A that are read at once. */
export const widthOfA = ({ along }: Pick<Tiling, 'along'>): Width =>
  along === undefined ? 1 : along.a === 'inner' ? 2 : 4;

/** Values of B that are read at once. */
export const widthOfB = (tiling: Pick<Tiling, 'wide' | 'pack' | 'along'>): Width =>
  tiling.along?.b === 'inner' ? 2 : readsFours(tiling) ? 4 : 1;

/** Sums that are stored at once. */
export const widthOfC = ({ storesFours = false }: Pick<Tiling, 'storesFours'>): Width =>
  storesFours ? 4 : 1;

/** WGSL of the function that a tiling calls with sums, `sum: f32` or `vec4f`; `i` is where they lie in C. */
export const storeSums = (tiling: Pick<Tiling, 'storesFours'>, i: string, body: string): string => {
  const width = widthOfC(tiling);
  return /* wgsl */ `
    fn ${width === 4 ? 'store_four' : 'store'}(row: u32, column: u32, sum: ${elementsOf('f32', width)}) {
      let i = ${width === 4 ? `(${i}) / 4u` : i};
      ${body}
    }
  `;
};

/** WGSL of a function of one value, of each of those that are stored at once. */
export const ofEach = (name: string, value: string, width: Width): string =>
  width === 1
    ? `${name}(${value})`
    : `${elementsOf('f32', width)}(${Array.from({ length: width }, (_, i) => `${name}(${value}[${i}])`).join(', ')})`;

/**
 * WGSL of `load_b` for a buffer of values: one at a step, or four, which are neighbouring columns or lie in one column.
 *
 * It reads `params.bStep`, the distance of two steps in values.
 */
export function loadFloats(
  name: string,
  tiling: Pick<Tiling, 'pack' | 'wide' | 'along'>,
  stored: Stored = 'f32',
): string {
  const i = 'start + step * params.bStep';
  if (tiling.pack === 4) {
    return /* wgsl */ `
      fn load_b(start: u32, step: u32) -> array<f32, 4> {
        let four = ${asFloat(`${name}[(${i}) / 4u]`, stored, 4)};
        return array(four.x, four.y, four.z, four.w);
      }
    `;
  }
  const width = widthOfB(tiling);
  return /* wgsl */ `
    fn load_b(start: u32, step: u32) -> array<${elementsOf('f32', width)}, 1> {
      return array(${asFloat(`${name}[${width === 1 ? i : `(${i}) / ${width}u`}]`, stored, width)});
    }
  `;
}

/** WGSL that tells a program of several matrices where a tile begins, where `row` is one of its rows. */
export const beginTile = ({ batched }: ProductForm, row: string): string =>
  batched ? `begin_tile(${row});` : '';

/** Code that is written out `count` times. */
export const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

/** Workgroups of one tile each: columns along x, rows along y, and along z where y is used up. */
export const tileGrid =
  (tileRows: number, tileColumns: number): Tiling['workgroups'] =>
  (rows, columns) => {
    const tiles = Math.ceil(rows / tileRows);
    const z = Math.ceil(tiles / 65_535);
    return [Math.ceil(columns / tileColumns), Math.ceil(tiles / z), z];
  };

/** Workgroups of all rows and some columns each, along x and y. */
export const columnGrid =
  (tileColumns: number): Tiling['workgroups'] =>
  (_rows, columns) => [...spread(Math.ceil(columns / tileColumns)), 1];
