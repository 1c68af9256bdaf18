import {
  defineQueryGradient,
  type QueryGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import { each } from '../text.js';
import type { LaneBroadcast } from './broadcast.js';
import { type LaneRows, laneArrays, laneValue, part, vectorTypes } from './lane-rows.js';
import { queryPass } from './query-pass.js';

/** `dQ = dS K`, `dS = P ∘ (dY Vᵀ − D) · slope`: each lane holds queries; keys and values are broadcast. */
export function lanesQueryGradient(
  variant: Variant,
  broadcast: LaneBroadcast,
  o: LaneRows,
  keys: number,
): Tiled<QueryGradientProgram> {
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const { tile, arrays, load, overKeys } = queryPass(variant, broadcast, o, keys);
  const program = defineQueryGradient(
    variant,
    { enable: broadcast.enable, types: vectorTypes(o) },
    /* wgsl */ `
    ${arrays}
    ${laneArrays(o, { dq_rows: variant.widths.key })}
    @compute @workgroup_size(${lanes})
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let tile = tile_of(workgroup, count);
      if (tile >= params.tilesOfAll) { return; }
      let head = tile / params.tiles;
      let first = (tile % params.tiles) * ${rows}u;
      ${load}
      ${overKeys(/* wgsl */ `
        // dS · slope, [rows, keys]; dQ += dS K, [rows, Dk]
        ${tile.backward}
        for (var c = 0u; c < params.keyWidth; c++) {
          ${broadcast.declare('key', keys, (_, n) => `k[k_row_${n} + c]`)}
          var dq_c = ${laneValue(o, 'dq_rows', 'c')};
          ${each(keys, (i) => `dq_c += ${broadcast.read('key', i)} * g${i};`)}
          ${laneValue(o, 'dq_rows', 'c')} = dq_c;
        }`)}
      ${each(
        o.rows,
        (r) => /* wgsl */ `if (${part(o, 'lane_row', r)} < params.queries) {
          for (var c = 0u; c < params.keyWidth; c++) {
            dq[${part(o, 'q_start', r)} + c] = ${part(o, laneValue(o, 'dq_rows', 'c'), r)};
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows };
}
