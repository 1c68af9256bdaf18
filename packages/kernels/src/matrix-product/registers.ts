import { beginTile, lines, type ProductForm, type Tiling, tileGrid } from './form.js';
import { addRow, laneBlock } from './lane-block.js';

/** Lanes of a workgroup in both directions. */
const lanes = 8;
/** Rows of C that a lane owns. */
const rows = 8;

/** A lane computes a block of C from registers alone: no subgroups, no shared memory, no barriers. */
export function registerTiling(form: ProductForm): Tiling {
  const columns = form.value === 'f32' ? 8 : 4;
  const addRows = () =>
    lines(
      rows,
      (row) => `{
      let a = load_a(a_start${row}, step);
      ${addRow(columns, row)}
    }`,
    );
  return {
    key: 'registers',
    rows: rows * lanes,
    workgroups: tileGrid(rows * lanes, columns * lanes),
    pack: 1,
    enable: [],
    wgsl: () => /* wgsl */ `
      @compute @workgroup_size(${lanes}, ${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_id) lane: vec3u,
      ) {
        let first_row = ((workgroup.z * count.y + workgroup.y) * ${lanes}u + lane.y) * ${rows}u;
        let first_column = workgroup.x * ${columns * lanes}u + lane.x;
        if (first_row >= params.rows) { return; }
        ${beginTile(form, 'first_row')}
        ${lines(rows, (r) => `let a_start${r} = a_start(min(first_row + ${r}u, params.rows - 1u));`)}
        ${laneBlock(form, { rows, columns, stride: lanes }, { step: addRows() })}
      }
    `,
  };
}
