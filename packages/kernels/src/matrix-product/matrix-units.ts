import { lines, type ProductForm, type Tiling, tileGrid } from './form.js';

/** Matrix units that a subgroup drives together: `[M, K]` times `[K, N]`, added to `[M, N]`, all in f32. */
export interface MatrixUnits {
  M: number;
  N: number;
  K: number;
  /** Lanes of every subgroup of the device. */
  lanes: number;
  operations: MatrixOperations;
}

/** How a subgroup holds and multiplies matrices. */
export interface MatrixOperations {
  /** Tells the programs of different operations apart. */
  name: string;
  /** WGSL extensions that they need. */
  enable: readonly string[];
  /**
   * Types `Left` `[M, K]`, `Right` `[K, N]` and `Sum` `[M, N]`, and functions over `tile`, the workgroup's
   * memory: `load_left(start)`, `load_right(start)`, `multiply_add(left, right, sum)` and
   * `store_sum_matrix(start, sum)`, whose rows lie a stride apart.
   */
  wgsl: (units: MatrixUnits, strides: Strides) => string;
}

/** Values from one row to the next in the workgroup's memory. */
export interface Strides {
  left: number;
  right: number;
  sum: number;
}

/** The operations of Dawn's experimental extension. */
export const nativeOperations: MatrixOperations = {
  name: 'native',
  enable: ['chromium_experimental_subgroup_matrix'],
  // Types name their columns first.
  wgsl: ({ M, N, K }, { left, right, sum }) => /* wgsl */ `
    alias Left = subgroup_matrix_left<f32, ${K}, ${M}>;
    alias Right = subgroup_matrix_right<f32, ${N}, ${K}>;
    alias Sum = subgroup_matrix_result<f32, ${N}, ${M}>;
    fn load_left(start: u32) -> Left {
      return subgroupMatrixLoad<Left, row_major>(&tile, start, ${left}u);
    }
    fn load_right(start: u32) -> Right {
      return subgroupMatrixLoad<Right, row_major>(&tile, start, ${right}u);
    }
    fn multiply_add(left: Left, right: Right, sum: Sum) -> Sum {
      return subgroupMatrixMultiplyAccumulate(left, right, sum);
    }
    fn store_sum_matrix(start: u32, sum: Sum) {
      subgroupMatrixStore<row_major>(&tile, start, sum, ${sum}u);
    }
  `,
};

/** Rows and columns of C, and values along the inner axis, that a workgroup takes at least. */
const leastTile = 32;
const leastDepth = 16;
/** Apart from rows' lengths, so that rows start in different banks of the memory, at multiples of 16 bytes. */
const gap = 4;

/**
 * One subgroup computes a tile with matrix units: parts of A and B pass through the workgroup's memory, and so do the
 * sums, from where each lane stores some.
 */
export function matrixUnitTiling(units: MatrixUnits, form: ProductForm): Tiling {
  const { M, N, K, lanes, operations } = units;
  const [down, across] = [Math.ceil(leastTile / M), Math.ceil(leastTile / N)];
  const [rows, columns, depth] = [down * M, across * N, Math.ceil(leastDepth / K) * K];
  const strides = { left: depth + gap, right: columns + gap, sum: columns + gap };
  const right = rows * strides.left;
  const size = Math.max(right + depth * strides.right, rows * strides.sum);
  const sums = (line: (r: number, c: number) => string) =>
    lines(down, (r) => lines(across, (c) => line(r, c)));
  const loadTiles = /* wgsl */ `
    for (var i = lane; i < ${rows * depth}u; i += ${lanes}u) {
      // Neighbouring lanes read along the axis that is contiguous.
      let along_k = params.aStep == 1u;
      let k = select(i / ${rows}u, i % ${depth}u, along_k);
      let row = select(i % ${rows}u, i / ${depth}u, along_k);
      let value = load_a(
        a_start(min(tile_row + row, params.rows - 1u)),
        min(first + k, params.steps - 1u),
      );
      // What lies beyond the inner axis must add nothing.
      tile[row * ${strides.left}u + k] = select(0.0, value, first + k < params.steps);
    }
    for (var i = lane; i < ${depth * columns}u; i += ${lanes}u) {
      let along_k = params.bStep == 1u;
      let k = select(i / ${columns}u, i % ${depth}u, along_k);
      let column = select(i % ${columns}u, i / ${depth}u, along_k);
      let value = load_b(
        b_start(min(tile_column + column, params.columns - 1u)),
        min(first + k, params.steps - 1u),
      )[0];
      tile[${right}u + k * ${strides.right}u + column] = select(0.0, value, first + k < params.steps);
    }
    workgroupBarrier();
  `;
  const multiplyTiles = /* wgsl */ `
    for (var k = 0u; k < ${depth}u; k += ${K}u) {
      ${lines(down, (r) => `let left${r} = load_left(${r * M * strides.left}u + k);`)}
      ${lines(across, (c) => `let right${c} = load_right(${right + c * N}u + k * ${strides.right}u);`)}
      ${sums((r, c) => `sum${r}_${c} = multiply_add(left${r}, right${c}, sum${r}_${c});`)}
    }
  `;
  const owned = Math.ceil(columns / lanes);
  const addColumns = /* wgsl */ `
    for (var c = 0u; c < ${owned}u; c++) {
      let column = min(lane + c * ${lanes}u, ${columns - 1}u);
      var part = 0.0;
      for (var k = 0u; k < ${depth}u; k++) {
        part += tile[${right}u + k * ${strides.right}u + column];
      }
      totals[c] += part;
    }
  `;
  const storeColumns = /* wgsl */ `
    for (var c = 0u; c < ${owned}u; c++) {
      let column = lane + c * ${lanes}u;
      if (tile_row == 0u && column < ${columns}u && tile_column + column < params.columns) {
        store_sum(tile_column + column, totals[c]);
      }
    }
  `;
  return {
    key: `matrix-units/${operations.name}/${M}/${N}/${K}/${lanes}`,
    workgroups: tileGrid(rows, columns),
    pack: 1,
    enable: operations.enable,
    wgsl: () => /* wgsl */ `
      // A, B behind it, and C when both are done with.
      var<workgroup> tile: array<f32, ${size}>;
      ${operations.wgsl(units, strides)}
      @compute @workgroup_size(${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let tile_row = (workgroup.z * count.y + workgroup.y) * ${rows}u;
        let tile_column = workgroup.x * ${columns}u;
        if (tile_row >= params.rows) { return; }
        ${form.columnSums ? `var totals: array<f32, ${owned}>;` : ''}
        ${sums((r, c) => `var sum${r}_${c} = Sum();`)}
        for (var first = 0u; first < params.steps; first += ${depth}u) {
          ${loadTiles}
          ${multiplyTiles}
          ${form.columnSums ? addColumns : ''}
          workgroupBarrier();
        }
        ${sums((r, c) => `store_sum_matrix(${r * M * strides.sum + c * N}u, sum${r}_${c});`)}
        workgroupBarrier();
        for (var i = lane; i < ${rows * columns}u; i += ${lanes}u) {
          let row = i / ${columns}u;
          let column = i % ${columns}u;
          if (tile_row + row < params.rows && tile_column + column < params.columns) {
            store(tile_row + row, tile_column + column, tile[row * ${strides.sum}u + column]);
          }
        }
        ${form.columnSums ? storeColumns : ''}
      }
    `,
  };
}
