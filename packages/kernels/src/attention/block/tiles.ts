import type { Others } from '../others.js';
import type { Layout } from '../score/pairs.js';
import { each } from '../text.js';

/** Rows and columns of a tile of scores; a workgroup is 8 × 8 lanes with 4 × 4 scores each. */
export const tile = 32;
/** Columns of the output that one workgroup makes; wider heads take several, which repeat the scores. */
export const outputColumns = 64;
/** Vectors from one group of four to the next: one more than there are, so that banks of memory differ. */
const stride = tile + 1;

/** Rows of a tensor in storage. */
export interface Source {
  buffer: string;
  /** WGSL of the element where the head begins. */
  base: string;
  /** WGSL of the first row. */
  first: string;
  /** WGSL of the row behind the last that may be read. */
  limit: string;
  /** WGSL of the length of a row. */
  width: string;
}

/** WGSL of the vector types in which scores are computed. */
export const vectorTypes: string =
  'alias Rows = vec4f; alias RowIndices = vec4u; alias RowInts = vec4i; alias RowBools = vec4<bool>;';

/** Each lane meets four neighbours of the other axis, and knows what it needs of them by itself. */
const others: Others = {
  index: (i) => `(across * 4u + ${i}u)`,
  declare: (name, count, of) =>
    each(count, (i) => `let ${name}_${i} = ${of(`(across * 4u + ${i}u)`, i)};`),
  take: (name, i) => `${name}_${i}`,
};

/** Where the pairs of a lane lie. */
export const layoutOf = (axis: 'q' | 'k'): Layout => ({
  own: axis,
  rows: 4,
  adjacent: true,
  others,
  count: 4,
});

/** WGSL of whether row `i` of those that a lane meets is one. */
export const met = (i: number, limit: string): string =>
  `first_other + ${others.index(i)} < ${limit}`;

/** WGSL of the number of the lane's own rows. */
export const ownRows = 'first + down * 4u + vec4u(0u, 1u, 2u, 3u)';

/** WGSL of the two factors in the memory of the workgroup, four rows or four columns a vector. */
export const memory: string = /* wgsl */ `
  var<workgroup> left: array<vec4f, ${8 * stride}>;
  var<workgroup> right: array<vec4f, ${8 * stride}>;
`;

/** Four neighbouring rows a vector, columns `c …`: the factor of a sum over columns. */
const loadRows = (
  name: string,
  { buffer, base, first, limit, width }: Source,
): string => /* wgsl */ `
  for (var n = lane; n < ${8 * tile}u; n += 64u) {
    let column = n % ${tile}u;
    let row = ${first} + n / ${tile}u * 4u + vec4u(0u, 1u, 2u, 3u);
    let at = ${base} + min(row, vec4u(${limit} - 1u)) * ${width} + min(c + column, ${width} - 1u);
    ${name}[n / ${tile}u * ${stride}u + column] =
      vec4f(${buffer}[at.x], ${buffer}[at.y], ${buffer}[at.z], ${buffer}[at.w]);
  }
`;

/** Four neighbouring columns a vector, from `from` on: the factor of a sum over rows. */
const loadColumns = (
  name: string,
  { buffer, base, first, limit, width }: Source,
  from: string,
) => /* wgsl */ `
  for (var n = lane; n < ${8 * tile}u; n += 64u) {
    let row = ${first} + n / 8u;
    let column = min(${from} + n % 8u * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(${width} - 1u));
    let at = ${base} + min(row, ${limit} - 1u) * ${width} + column;
    ${name}[n % 8u * ${stride}u + n / 8u] =
      vec4f(${buffer}[at.x], ${buffer}[at.y], ${buffer}[at.z], ${buffer}[at.w]);
  }
`;

const multiply = (sum: (column: number) => string, count: string): string => /* wgsl */ `
  for (var n = 0u; n < ${count}; n++) {
    let a = left[down * ${stride}u + n];
    let b = right[across * ${stride}u + n];
    ${each(4, (x) => `${sum(x)} += a * b[${x}];`)}
  }
`;

/**
 * `sum += left rightᵀ` over all columns: a lane's four rows times four rows of the right.
 *
 * @param sum declares `${sum}0 … ${sum}3`, of which each holds the lane's rows
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

/** The passes over a workgroup's columns of the output. */
const passes = outputColumns / tile;

/** WGSL of the sums of a workgroup's output, which are kept in registers. */
export const outputs = (sum: string): string =>
  each(passes * 4, (i) => `var ${sum}${i} = vec4f();`);

/**
 * `sum += weights right` over the rows of the right.
 *
 * @param weights `${weights}0 … ${weights}3`, four rows each, of the lane's four columns
 */
export const columnProduct = (sum: string, weights: string, right: Source): string => /* wgsl */ `
  workgroupBarrier();
  ${each(4, (x) => `left[down * ${stride}u + across * 4u + ${x}u] = ${weights}${x};`)}
  ${each(
    passes,
    (pass) => /* wgsl */ `
      workgroupBarrier();
      ${loadColumns('right', right, `left_column + ${pass * tile}u`)}
      workgroupBarrier();
      ${multiply((x) => `${sum}${pass * 4 + x}`, `min(${tile}u, ${right.limit} - ${right.first})`)}`,
  )}
`;

/** WGSL that writes a workgroup's output; `value(i)` is column `i` of the lane's rows. */
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
        ${each(4, (r) => `if (own_row[${r}] < ${rows.limit}) { ${buffer}[${rows.start}[${r}] + column] = value[${r}]; }`)}
      }
    }`,
  );

/**
 * WGSL of the entry point's head: `task`, and `left_column`, the first column of the output.
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
