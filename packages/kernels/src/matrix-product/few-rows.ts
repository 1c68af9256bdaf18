import { columnGrid, lines, type ProductForm, type Tiling } from './form.js';

/** As many rows as a product may have to be computed by these tilings. */
export const fewRows = 8;

/** The rows that code is written for: a power of two, so that there are four variants. */
const written = (rows: number): number => 2 ** Math.ceil(Math.log2(rows));

const sums = (
  rows: number,
  columns: number,
  line: (name: string, row: number, column: number) => string,
): string => lines(rows, (r) => lines(columns, (c) => line(`sum${r}_${c}`, r, c)));

/** Adds a step's products to all sums, `a` being the code of a row's value. */
const addStep = (
  rows: number,
  columns: number,
  pack: number,
  a: (row: number, j: number) => string,
): string =>
  lines(pack, (j) =>
    lines(
      rows,
      (r) => `{ let a = ${a(r, j)}; ${lines(columns, (c) => `sum${r}_${c} += a * b${c}[${j}];`)} }`,
    ),
  );

/**
 * A lane owns columns, and a subgroup shares the values of A by shuffles.
 *
 * Where B's rows are contiguous, four neighbouring columns are one load if the form allows it, else there are two columns a
 * lane. Where B's columns are contiguous, a form with a `pack` of 4 reads four of the inner axis at once.
 */
export function shuffleRowTiling(lanes: number, count: number, form: ProductForm): Tiling {
  const { pack, prologue, wide = false } = form;
  const rows = written(count);
  const pair = form.value === 'vec2f';
  const [columns, width] = shuffleColumns(form);
  const value = wide ? (pair ? 'mat2x4f' : 'vec4f') : form.value;
  const sumOf = (c: number) => {
    const sums = `block[row][${c}]`;
    return wide && pair ? `vec2f(${sums}[0][i], ${sums}[1][i])` : `${sums}[i]`;
  };
  const inside = (c: number) => `first_column + ${c * lanes * width}u < params.columns`;
  const lastStart = `(params.columns - 1u) / ${width}u * ${width}u`;
  const store = (c: number) =>
    wide
      ? `let end = min(4u, params.columns - column${c}); for (var i = 0u; i < end; i++) { store(row, column${c} + i, ${sumOf(c)}); }`
      : `store(row, column${c}, block[row][${c}]);`;
  const loadB = lines(columns, (c) => `let b${c} = load_b(b_start${c}, step);`);
  // As many rows as lanes: each lane loads a row's values of one step. Fewer: each loads those of all rows, of a step of its own.
  const loop =
    rows === lanes
      ? /* wgsl */ `
        let own_start = a_start(min(lane, params.rows - 1u));
        for (var step = 0u; step < params.steps; step++) {
          ${lines(pack, (j) => `let a${j} = load_a(own_start, step * ${pack}u + ${j}u);`)}
          ${loadB}
          ${addStep(rows, columns, pack, (r, j) => `subgroupShuffle(a${j}, ${r}u)`)}
        }
      `
      : /* wgsl */ `
        ${lines(rows, (r) => `let a_start${r} = a_start(min(${r}u, params.rows - 1u));`)}
        for (var first = 0u; first < params.steps; first += ${lanes}u) {
          // Lanes beyond the last step load values that are not used.
          ${lines(rows, (r) => lines(pack, (j) => `let a${r}_${j} = load_a(a_start${r}, (first + lane) * ${pack}u + ${j}u);`))}
          let last = min(first + ${lanes}u, params.steps);
          for (var step = first; step < last; step++) {
            ${loadB}
            ${addStep(rows, columns, pack, (r, j) => `subgroupShuffle(a${r}_${j}, step - first)`)}
          }
        }
      `;
  return {
    key: `shuffle-rows/${lanes}/${rows}/${columns}/${width}/${pack}/${form.value}`,
    workgroups: columnGrid(columns * lanes * width),
    pack,
    wide,
    enable: ['subgroups'],
    wgsl: () => /* wgsl */ `
      ${prologue?.({ lanes, subgroup: true }, false) ?? ''}
      @compute @workgroup_size(${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(subgroup_invocation_id) lane: u32,
      ) {
        ${prologue ? 'prologue(lane);' : ''}
        let first_column = (workgroup.y * count.x + workgroup.x) * ${columns * lanes * width}u + lane * ${width}u;
        ${lines(columns, (c) => `let column${c} = min(first_column + ${c * lanes * width}u, ${lastStart}); let b_start${c} = b_start(column${c});`)}
        ${sums(rows, columns, (name) => `var ${name} = ${value}();`)}
        ${loop}
        var block: array<array<${value}, ${columns}>, ${rows}>;
        ${sums(rows, columns, (name, r, c) => `block[${r}][${c}] = ${name};`)}
        for (var row = 0u; row < params.rows; row++) {
          ${lines(columns, (c) => `if (${inside(c)}) { ${store(c)} }`)}
        }
      }
    `,
  };
}

/** How many columns, or vectors of neighbouring columns, a lane owns, and the columns of each. */
function shuffleColumns({ value, pack, wide }: ProductForm): [number, number] {
  const single = value === 'f32';
  if (wide) return [single ? 2 : 1, 4];
  return [single && pack === 4 ? 4 : 2, 1];
}

/** Where B's rows are contiguous: a lane owns a column, and slices of a workgroup share the inner axis. */
export function sliceRowTiling(count: number, form: ProductForm): Tiling {
  const { value, pack, prologue } = form;
  const rows = written(count);
  const [lanes, slices] = [32, 8];
  return {
    key: `slice-rows/${rows}/${value}`,
    workgroups: columnGrid(lanes),
    pack,
    enable: [],
    wgsl: () => /* wgsl */ `
      ${prologue?.({ lanes: lanes * slices, subgroup: false }, false) ?? ''}
      var<workgroup> partial: array<${value}, ${lanes * slices * rows}>;
      @compute @workgroup_size(${lanes}, ${slices})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_id) lane: vec3u,
      ) {
        ${prologue ? `prologue(lane.y * ${lanes}u + lane.x);` : ''}
        let column = (workgroup.y * count.x + workgroup.x) * ${lanes}u + lane.x;
        let b_start0 = b_start(min(column, params.columns - 1u));
        ${lines(rows, (r) => `let a_start${r} = a_start(min(${r}u, params.rows - 1u));`)}
        ${sums(rows, 1, (name) => `var ${name} = ${value}();`)}
        for (var step = lane.y; step < params.steps; step += ${slices}u) {
          let b0 = load_b(b_start0, step);
          ${addStep(rows, 1, pack, (r, j) => `load_a(a_start${r}, step * ${pack}u + ${j}u)`)}
        }
        ${sums(rows, 1, (name, r) => `partial[(${r}u * ${slices}u + lane.y) * ${lanes}u + lane.x] = ${name};`)}
        workgroupBarrier();
        // There are as many slices as rows at most: each finishes one.
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

/**
 * Where B's columns are contiguous: the lanes of a workgroup share the inner axis of a few columns, one
 * value of it at a time or four.
 */
export function dotRowTiling(lanes: number, count: number, form: ProductForm): Tiling {
  const { value, prologue, wide = false } = form;
  const rows = written(count);
  const columns = wide && rows <= 2 && value === 'f32' ? 8 : 4;
  const dots = rows * columns;
  const loadA = (r: number) =>
    wide
      ? `vec4f(${[0, 1, 2, 3].map((i) => `load_a(a_start${r}, step * 4u + ${i}u)`).join(', ')})`
      : `load_a(a_start${r}, step)`;
  const dotted = wide && value === 'f32';
  const times = (a: string, b: string) => (dotted ? `dot(${a}, ${b})` : `${a} * ${b}`);
  // A prologue is worth many columns.
  const blocks = prologue ? (form.blocks ?? 16) : 1;
  return {
    key: `dot-rows/${lanes}/${rows}/${wide ? 4 : 1}/${value}/${blocks}`,
    workgroups: columnGrid(blocks * columns),
    pack: 1,
    wide,
    rereads: true,
    enable: [],
    wgsl: () => /* wgsl */ `
      ${prologue?.({ lanes, subgroup: false }, true) ?? ''}
      var<workgroup> partial: array<${value}, ${lanes * dots}>;
      @compute @workgroup_size(${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        ${prologue ? 'prologue(lane);' : ''}
        let first_block = (workgroup.y * count.x + workgroup.x) * ${blocks}u;
        for (var block = first_block; block < first_block + ${blocks}u; block++) {
        let first_column = block * ${columns}u;
        if (first_column >= params.columns) { break; }
        ${lines(columns, (c) => `let b_start${c} = b_start(min(first_column + ${c}u, params.columns - 1u));`)}
        ${lines(rows, (r) => `let a_start${r} = a_start(min(${r}u, params.rows - 1u));`)}
        ${sums(rows, columns, (name) => `var ${name} = ${value}();`)}
        for (var step = lane; step < params.steps${wide ? ' / 4u' : ''}; step += ${lanes}u) {
          ${lines(columns, (c) => `let b${c} = load_b(b_start${c}, step)[0];`)}
          ${lines(rows, (r) => `{ let a = ${loadA(r)}; ${lines(columns, (c) => `sum${r}_${c} += ${times('a', `b${c}`)};`)} }`)}
        }
        ${sums(rows, columns, (name, r, c) => `partial[lane * ${dots}u + ${r * columns + c}u] = ${name};`)}
        workgroupBarrier();
        for (var dot = lane; dot < ${dots}u; dot += ${lanes}u) {
          let row = dot / ${columns}u;
          let column = first_column + dot % ${columns}u;
          if (row < params.rows && column < params.columns) {
            var sum = ${value}();
            for (var other = 0u; other < ${lanes}u; other++) { sum += partial[other * ${dots}u + dot]; }
            store(row, column, sum);
          }
        }
        workgroupBarrier();
        }
      }
    `,
  };
}
