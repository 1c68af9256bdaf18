import type { RowBroadcast } from '../row-broadcast.js';
import type { PairLayout } from '../score/pair-layout.js';
import { each } from '../text.js';

/** Rows and columns of a tile of scores; a workgroup is 8 × 8 lanes with 4 × 4 scores each. */
export const tile = 32;
/** Output columns of one workgroup; wider heads take several workgroups, which recompute the scores. */
export const outputColumns = 64;
/** Vectors between two groups of four rows: one more than a tile has, against bank conflicts. */
const pitch = tile + 1;

/** Rows of a tensor in storage. */
export interface Source {
  buffer: string;
  /** WGSL of the head's first element. */
  base: string;
  /** WGSL of the first row. */
  first: string;
  /** WGSL of the number of rows that may be read. */
  limit: string;
  /** WGSL of the distance from row to row. */
  row: string;
  /** WGSL of the number of columns. */
  width: string;
}

const [keyWidth, valueWidth] = ['params.keyWidth', 'params.valueWidth'];
/** What attention reads, by its buffer; `q_first`, `k_first`, `v_first` and `y_first` are the heads' first numbers. */
export const operands: Readonly<Record<'q' | 'k' | 'v' | 'dy', Omit<Source, 'first' | 'limit'>>> = {
  q: { buffer: 'q', base: 'q_first', row: 'params.qRow', width: keyWidth },
  k: { buffer: 'k', base: 'k_first', row: 'params.kRow', width: keyWidth },
  v: { buffer: 'v', base: 'v_first', row: 'params.vRow', width: valueWidth },
  dy: { buffer: 'dy', base: 'y_first', row: 'params.yRow', width: valueWidth },
};

/** WGSL that declares `Rows`, `RowIndices`, `RowInts` and `RowBools`: vectors of the lane's four rows. */
export const vectorTypes: string =
  'alias Rows = vec4f; alias RowIndices = vec4u; alias RowInts = vec4i; alias RowBools = vec4<bool>;';

/** Each lane reads the values of its own four neighbouring tile rows: nothing is broadcast. */
const broadcast: RowBroadcast = {
  index: (i) => `(across * 4u + ${i}u)`,
  declare: (name, count, of) =>
    each(count, (i) => `let ${name}_${i} = ${of(`(across * 4u + ${i}u)`, i)};`),
  read: (name, i) => `${name}_${i}`,
};

/** The layout of a lane's 4 × 4 pairs. */
export const layoutOf = (axis: 'q' | 'k'): PairLayout => ({
  laneAxis: axis,
  rows: 4,
  adjacent: true,
  broadcast,
  count: 4,
});

/** WGSL (`bool`) of whether tile row `i` of the lane lies before `limit`. */
export const inBounds = (i: number, limit: string): string =>
  `tile_start + ${broadcast.index(i)} < ${limit}`;

/** WGSL (`vec4u`) of the lane's rows. */
export const laneRowIndices = 'first + down * 4u + vec4u(0u, 1u, 2u, 3u)';

/** WGSL that declares `left` and `right`, the two factors of a product in workgroup memory, `[8, 32]` of `vec4f`. */
export const memory: string = /* wgsl */ `
  var<workgroup> left: array<vec4f, ${8 * pitch}>;
  var<workgroup> right: array<vec4f, ${8 * pitch}>;
`;

/** Loads a factor of a product over columns: four neighbouring rows per vector, columns from `c` on. */
const loadRows = (
  name: string,
  { buffer, base, first, limit, row: stride, width }: Source,
): string => /* wgsl */ `
  for (var n = lane; n < ${8 * tile}u; n += 64u) {
    let column = n % ${tile}u;
    let row = ${first} + n / ${tile}u * 4u + vec4u(0u, 1u, 2u, 3u);
    let at = ${base} + min(row, vec4u(${limit} - 1u)) * ${stride} + min(c + column, ${width} - 1u);
    ${name}[n / ${tile}u * ${pitch}u + column] =
      vec4f(${buffer}[at.x], ${buffer}[at.y], ${buffer}[at.z], ${buffer}[at.w]);
  }
`;

/** Loads a factor of a product over rows: four neighbouring columns per vector, columns from `from` on. */
const loadColumns = (
  name: string,
  { buffer, base, first, limit, row: stride, width }: Source,
  from: string,
) => /* wgsl */ `
  for (var n = lane; n < ${8 * tile}u; n += 64u) {
    let row = ${first} + n / 8u;
    let column = min(${from} + n % 8u * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(${width} - 1u));
    let at = ${base} + min(row, ${limit} - 1u) * ${stride} + column;
    ${name}[n % 8u * ${pitch}u + n / 8u] =
      vec4f(${buffer}[at.x], ${buffer}[at.y], ${buffer}[at.z], ${buffer}[at.w]);
  }
`;

const multiply = (sum: (column: number) => string, count: string): string => /* wgsl */ `
  for (var n = 0u; n < ${count}; n++) {
    let a = left[down * ${pitch}u + n];
    let b = right[across * ${pitch}u + n];
    ${each(4, (x) => `${sum(x)} += a * b[${x}];`)}
  }
`;

/**
 * `sum = left rightᵀ` over all columns, `[rows, D] [D, rows]`: the lane's four rows times four rows of the right.
 *
 * @param sum declares `${sum}0 … ${sum}3: vec4f`, one for each row of the right, with the lane's four rows
 */
export const rowProduct = (sum: string, left: Source, right: Source): string => /* wgsl */ `
  ${each(4, (x) => `var ${sum}${x} = vec4f();`)}
  for (var c = 0u; c < ${left.width}; c += ${tile}u) {
    workgroupBarrier();
    ${loadRows('left', left)}
    ${loadRows('right', right)}
    workgroupBarrier();
    ${multiply((x) => `${sum}${x}`, `min(${tile}u, ${left.width} - c)`)}
  }
`;

/** Passes over the output columns of a workgroup. */
const passes = outputColumns / tile;

/** WGSL that declares `${sum}0 … ${sum}7: vec4f`, the lane's output columns, in registers. */
export const outputs = (sum: string): string =>
  each(passes * 4, (i) => `var ${sum}${i} = vec4f();`);

/**
 * `sum += weights right` over the rows of the right, `[rows, tile] [tile, D]`.
 *
 * @param weights `${weights}0 … ${weights}3: vec4f` must be declared: the lane's four rows, for each of its four tile rows
 */
export const columnProduct = (sum: string, weights: string, right: Source): string => /* wgsl */ `
  workgroupBarrier();
  ${each(4, (x) => `left[down * ${pitch}u + across * 4u + ${x}u] = ${weights}${x};`)}
  ${each(
    passes,
    (pass) => /* wgsl */ `
      workgroupBarrier();
      ${loadColumns('right', right, `left_column + ${pass * tile}u`)}
      workgroupBarrier();
      ${multiply((x) => `${sum}${pass * 4 + x}`, `min(${tile}u, ${right.limit} - ${right.first})`)}`,
  )}
`;

/** WGSL that writes a workgroup's output; `value(i)` is WGSL (`vec4f`) of the lane's column `i`; needs `lane_row`. */
export const store = (
  buffer: string,
  rows: { limit: string; start: string; width: string },
  value: (i: number) => string,
): string =>
  each(
    passes * 4,
    (i) => /* wgsl */ `{
      let column = left_column + ${Math.floor(i / 4) * tile}u + across * 4u + ${i % 4}u;
      let value = ${value(i)};
      if (column < ${rows.width}) {
        ${each(4, (r) => `if (lane_row[${r}] < ${rows.limit}) { ${buffer}[${rows.start}[${r}] + column] = value[${r}]; }`)}
      }
    }`,
  );

/**
 * WGSL that opens the entry point and declares `lane`, `task`, `left_column` (the first output column), `across`
 * and `down` (the lane's place in the 8 × 8 grid), all `u32`.
 *
 * @param width WGSL of the columns of the output
 */
export const entry = (width: string): string => /* wgsl */ `
  @compute @workgroup_size(64)
  fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) count: vec3u,
    @builtin(local_invocation_index) lane: u32,
  ) {
    let id = tile_of(workgroup, count);
    if (id >= params.tilesOfAll) { return; }
    let parts = (${width} + ${outputColumns - 1}u) / ${outputColumns}u;
    let left_column = id % parts * ${outputColumns}u;
    let task = id / parts;
    let across = lane % 8u;
    let down = lane / 8u;
`;
