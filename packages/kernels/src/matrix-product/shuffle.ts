import { beginTile, lines, type ProductForm, type Tiling, tileGrid } from './form.js';
import { addRow, laneBlock } from './lane-block.js';

/** Columns of C that a lane owns, one subgroup apart. */
const columns = 4;

/**
 * One subgroup computes a tile: a lane owns columns; the values of A are read once by the subgroup
 * and passed around by shuffles.
 */
export function shuffleTiling(lanes: number, form: ProductForm): Tiling {
  // 128 numbers a lane, whatever they belong to.
  const rows = form.value === 'f32' ? 32 : 16;
  const groups = Math.ceil(rows / lanes);
  const loadA = () => lines(groups, (g) => `let a${g} = load_a(a_start${g}, step);`);
  const addRows = () =>
    lines(
      rows,
      (row) => `{
      let a = subgroupShuffle(a${Math.floor(row / lanes)}, ${row % lanes}u);
      ${addRow(columns, row)}
    }`,
    );
  return {
    key: `shuffle/${lanes}`,
    rows,
    workgroups: tileGrid(rows, columns * lanes),
    pack: 1,
    enable: ['subgroups'],
    wgsl: () => /* wgsl */ `
      @compute @workgroup_size(${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(subgroup_invocation_id) lane: u32,
      ) {
        let first_row = (workgroup.z * count.y + workgroup.y) * ${rows}u;
        let first_column = workgroup.x * ${columns * lanes}u + lane;
        if (first_row >= params.rows) { return; }
        ${beginTile(form, 'first_row')}
        ${lines(groups, (g) => `let a_start${g} = a_start(min(first_row + ${g * lanes}u + lane, params.rows - 1u));`)}
        ${laneBlock(form, { rows, columns, stride: lanes }, { step: loadA() + addRows() })}
      }
    `,
  };
}
