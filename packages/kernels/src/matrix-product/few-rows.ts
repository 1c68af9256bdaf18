import { type RowGroup, rowGroupExtensions, rowSum } from '../dispatch/row-group.js';
import { columnGrid, lines, type ProductForm, type Tiling } from './form.js';

/** As many rows as a product may have to be computed by these tilings. */
export const fewRows = 8;

/** Numbers of rows that the code is written for: a power of two, so that there are four variants. */
const writtenRows = (rows: number): number => 2 ** Math.ceil(Math.log2(rows));

const blockOf = (rows: number, columns: number, line: (row: number, column: number) => string) =>
  lines(rows, (r) => lines(columns, (c) => line(r, c)));

const addStep = (
  rows: number,
  columns: number,
  pack: number,
  a: (r: number, j: number) => string,
) =>
  lines(pack, (j) =>
    lines(
      rows,
      (r) => `{ let a = ${a(r, j)}; ${lines(columns, (c) => `sum${r}_${c} += a * b${c}[${j}];`)} }`,
    ),
  );

/** Where B's rows are contiguous: a lane owns columns, and a subgroup shares the values of A by shuffles. */
export function shuffleRowTiling(lanes: number, count: number, form: ProductForm): Tiling {
  const { value, pack } = form;
  const rows = writtenRows(count);
  const columns = rows > 4 || value === 'vec2f' ? 2 : 4;
  const loadB = lines(columns, (c) => `let b${c} = load_b(step, column${c});`);
  return {
    key: `shuffle-rows/${lanes}/${rows}`,
    workgroups: columnGrid(columns * lanes),
    enable: ['subgroups'],
    wgsl: /* wgsl */ `
      @compute @workgroup_size(${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(subgroup_invocation_id) lane: u32,
      ) {
        let first_column = (workgroup.y * count.x + workgroup.x) * ${columns * lanes}u + lane;
        ${lines(columns, (c) => `let column${c} = min(first_column + ${c * lanes}u, params.columns - 1u);`)}
        ${lines(rows, (r) => `let row${r} = min(${r}u, params.rows - 1u);`)}
        ${blockOf(rows, columns, (r, c) => `var sum${r}_${c} = ${value}();`)}
        let whole = params.steps - params.steps % ${lanes}u;
        for (var first = 0u; first < whole; first += ${lanes}u) {
          ${blockOf(rows, pack, (r, j) => `let a${r}_${j} = load_a(row${r}, (first + lane) * ${pack}u + ${j}u);`)}
          ${lines(
            lanes,
            (s) => `{
              let step = first + ${s}u;
              ${loadB}
              ${addStep(rows, columns, pack, (r, j) => `subgroupShuffle(a${r}_${j}, ${s}u)`)}
            }`,
          )}
        }
        for (var step = whole; step < params.steps; step++) {
          ${loadB}
          ${addStep(rows, columns, pack, (r, j) => `load_a(row${r}, step * ${pack}u + ${j}u)`)}
        }
        ${lines(
          columns,
          (c) => `if (first_column + ${c * lanes}u < params.columns) {
            ${lines(rows, (r) => `if (${r}u < params.rows) { store(${r}u, column${c}, sum${r}_${c}); }`)}
          }`,
        )}
      }
    `,
  };
}

/** Where B's rows are contiguous: a workgroup shares the inner axis among slices, and adds them up. */
export function slicedRowTiling(count: number, form: ProductForm): Tiling {
  const { value, pack } = form;
  const rows = writtenRows(count);
  const [lanes, slices] = [32, 8];
  return {
    key: `sliced-rows/${rows}`,
    workgroups: columnGrid(lanes),
    enable: [],
    wgsl: /* wgsl */ `
      var<workgroup> partial: array<${value}, ${lanes * slices * rows}>;
      @compute @workgroup_size(${lanes}, ${slices})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_id) lane: vec3u,
      ) {
        let column = (workgroup.y * count.x + workgroup.x) * ${lanes}u + lane.x;
        let column0 = min(column, params.columns - 1u);
        ${lines(rows, (r) => `let row${r} = min(${r}u, params.rows - 1u); var sum${r}_0 = ${value}();`)}
        for (var step = lane.y; step < params.steps; step += ${slices}u) {
          let b0 = load_b(step, column0);
          ${addStep(rows, 1, pack, (r, j) => `load_a(row${r}, step * ${pack}u + ${j}u)`)}
        }
        ${lines(rows, (r) => `partial[(${r}u * ${slices}u + lane.y) * ${lanes}u + lane.x] = sum${r}_0;`)}
        workgroupBarrier();
        // The first slices finish a row each.
        if (lane.y < params.rows && column < params.columns) {
          var sum = ${value}();
          for (var slice = 0u; slice < ${slices}u; slice++) {
            sum += partial[(lane.y * ${slices}u + slice) * ${lanes}u + lane.x];
          }
          store(lane.y, column, sum);
        }
      }
    `,
  };
}

/** Where B's columns are contiguous: the lanes of a group share the inner axis of a few columns. */
export function dotRowTiling(group: RowGroup, count: number, form: ProductForm): Tiling {
  const { value, pack } = form;
  const rows = writtenRows(count);
  const columns = 4;
  const { lanes } = group;
  const total = (sum: string) =>
    value === 'f32'
      ? `row_sum(${sum}, lane)`
      : `vec2f(row_sum(${sum}.x, lane), row_sum(${sum}.y, lane))`;
  return {
    key: `dot-rows/${lanes}/${group.subgroup}/${rows}`,
    workgroups: columnGrid(columns),
    enable: rowGroupExtensions(group),
    wgsl: /* wgsl */ `
      ${rowSum(group)}
      @compute @workgroup_size(${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let first_column = (workgroup.y * count.x + workgroup.x) * ${columns}u;
        ${lines(columns, (c) => `let column${c} = min(first_column + ${c}u, params.columns - 1u);`)}
        ${lines(rows, (r) => `let row${r} = min(${r}u, params.rows - 1u);`)}
        ${blockOf(rows, columns, (r, c) => `var sum${r}_${c} = ${value}();`)}
        for (var step = lane; step < params.steps; step += ${lanes}u) {
          ${lines(columns, (c) => `let b${c} = load_b(step, column${c});`)}
          ${addStep(rows, columns, pack, (r, j) => `load_a(row${r}, step * ${pack}u + ${j}u)`)}
        }
        var block: array<array<${value}, ${columns}>, ${rows}>;
        ${blockOf(rows, columns, (r, c) => `block[${r}][${c}] = sum${r}_${c};`)}
        for (var r = 0u; r < params.rows; r++) {
          ${lines(
            columns,
            (c) => `{
              let sum = ${total(`block[r][${c}]`)};
              if (lane == 0u && first_column + ${c}u < params.columns) { store(r, column${c}, sum); }
            }`,
          )}
        }
      }
    `,
  };
}
