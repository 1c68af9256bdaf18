import { beginTile, lines, type ProductForm, type Tiling, tileGrid } from './form.js';
import { addRow, laneBlock } from './lane-block.js';

/** Lanes of a workgroup in both directions. */
const lanes = 16;
/** Rows and columns of C that a lane owns. */
const rows = 4;
const columns = 4;
/** Values along the inner axis that the shared memory holds. */
const depth = 16;

/** A workgroup keeps the parts of A and B of one round in its shared memory; a lane computes 4 × 4. */
export function sharedTiling(form: ProductForm): Tiling {
  const { value } = form;
  const tile = lanes * rows;
  // An odd distance between rows spreads the lanes' writes over the banks of the memory.
  const rowStride = tile + 1;
  const addRows = lines(
    rows,
    (row) => `{
      let a = shared_a[(step - first) * ${rowStride}u + lane.y * ${rows}u + ${row}u];
      ${addRow(columns, row)}
    }`,
  );
  const loadTiles = /* wgsl */ `
    for (var i = index; i < ${depth * tile}u; i += ${lanes * lanes}u) {
      // Neighbouring lanes read along the axis that is contiguous.
      let along_k = params.aStep == 1u;
      let k = select(i / ${tile}u, i % ${depth}u, along_k);
      let row = select(i % ${tile}u, i / ${depth}u, along_k);
      shared_a[k * ${rowStride}u + row] = load_a(
        a_start(min(tile_row + row, params.rows - 1u)),
        min(first + k, params.steps - 1u),
      );
    }
    for (var i = index; i < ${depth * tile}u; i += ${lanes * lanes}u) {
      let along_k = params.bStep == 1u;
      let k = select(i / ${tile}u, i % ${depth}u, along_k);
      let column = select(i % ${tile}u, i / ${depth}u, along_k);
      shared_b[k * ${tile}u + column] = load_b(
        b_start(min(tile_column + column, params.columns - 1u)),
        min(first + k, params.steps - 1u),
      )[0];
    }
    workgroupBarrier();
  `;
  return {
    key: 'shared',
    rows: tile,
    workgroups: tileGrid(tile, tile),
    pack: 1,
    enable: [],
    wgsl: () => /* wgsl */ `
      var<workgroup> shared_a: array<f32, ${depth * rowStride}>;
      var<workgroup> shared_b: array<${value}, ${depth * tile}>;
      @compute @workgroup_size(${lanes}, ${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_id) lane: vec3u,
        @builtin(local_invocation_index) index: u32,
      ) {
        let tile_row = (workgroup.z * count.y + workgroup.y) * ${tile}u;
        let tile_column = workgroup.x * ${tile}u;
        if (tile_row >= params.rows) { return; }
        ${beginTile(form, 'tile_row')}
        let first_row = tile_row + lane.y * ${rows}u;
        let first_column = tile_column + lane.x;
        ${laneBlock(
          form,
          { rows, columns, stride: lanes },
          {
            step: addRows,
            inRounds: { steps: depth, before: loadTiles, after: 'workgroupBarrier();' },
          },
          (c) => `shared_b[(step - first) * ${tile}u + lane.x + ${c * lanes}u]`,
        )}
      }
    `,
  };
}
