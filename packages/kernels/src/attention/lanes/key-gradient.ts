import {
  defineKeyGradient,
  type KeyGradientProgram,
  keyGradientBuffers,
  type Tiled,
  type Variant,
} from '../programs.js';
import { backwardValues } from '../score/pairs.js';
import { each } from '../text.js';
import type { LaneBroadcast } from './broadcast.js';
import {
  type LaneRows,
  laneArrays,
  laneRowIndices,
  laneValue,
  layoutOf,
  part,
  vector,
  vectorTypes,
} from './lane-rows.js';
import { tileOf } from './tile.js';

/**
 * `dV = Pᵀ dY`, `dK = dSᵀ Q`: each lane holds keys; the queries of all heads that share them are broadcast.
 */
export function lanesKeyGradient(
  variant: Variant,
  broadcast: LaneBroadcast,
  o: LaneRows,
  queries: number,
): Tiled<KeyGradientProgram> {
  const { widths, score } = variant;
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const { dk, dv } = keyGradientBuffers(variant);
  const layout = layoutOf('k', o, broadcast, queries);
  const statsOf = (n: number) => {
    const ofRow = (field: string) => `Rows(stats${n}.${field})`;
    return { largest: ofRow('x'), logSum: ofRow('y'), delta: ofRow('z') };
  };
  const { pairs, arrays, backward } = tileOf(score, layout, backwardValues(score), {
    limit: 'params.queries',
    stats: statsOf,
    declareStats: {
      at: (n) => `let stats${n} = ${broadcast.read('stats', n)};`,
      inLoop: 'let stats0 = rows[base + tile_start + i];',
    },
  });
  const program = defineKeyGradient(
    variant,
    { enable: broadcast.enable, types: vectorTypes(o) },
    /* wgsl */ `
    ${arrays}
    ${laneArrays(o, { k_rows: widths.key, v_rows: widths.value, dk_sum: widths.key, dv_sum: widths.value })}
    @compute @workgroup_size(${lanes})
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let tile = tile_of(workgroup, count);
      if (tile >= params.tilesOfAll) { return; }
      let kv = tile / params.tiles;
      let first = (tile % params.tiles) * ${rows}u;

      let lane_row = ${laneRowIndices(o, 'first')};
      let own_row = min(lane_row, RowIndices(params.keys - 1u));
      let k_start = k_base(kv) + own_row * params.kRow;
      let v_start = v_base(kv) + own_row * params.vRow;
      let k0 = i32(first);
      let k1 = i32(min(first + ${rows}u, params.keys)) - 1;
      for (var c = 0u; c < params.keyWidth; c++) {
        ${laneValue(o, 'k_rows', 'c')} = ${vector(o, 'Rows', (r) => `k[${part(o, 'k_start', r)} + c]`)};
      }
      for (var c = 0u; c < params.valueWidth; c++) {
        ${laneValue(o, 'v_rows', 'c')} = ${vector(o, 'Rows', (r) => `v[${part(o, 'v_start', r)} + c]`)};
      }
      for (var head = kv * params.group; head < (kv + 1u) * params.group; head++) {
        ${pairs.headValues}
        ${pairs.laneValues}
        let base = head * params.queries;
        let q_first = q_base(head);
        let y_first = y_base(head);
        for (var tile_start = 0u; tile_start < params.queries; tile_start += ${queries}u) {
          let q0 = i32(tile_start) + params.shift;
          let q1 = i32(min(tile_start + ${queries}u, params.queries)) - 1 + params.shift;
          if (tile_hidden(b, h, q0, q1, k0, k1)) { continue; }
          ${broadcast.declare('row', queries, (n) => `min(tile_start + ${n}, params.queries - 1u)`)}
          ${broadcast.declare('q_row', queries, (_, n) => `q_first + row_${n} * params.qRow`)}
          ${broadcast.declare('y_row', queries, (_, n) => `y_first + row_${n} * params.yRow`)}
          ${broadcast.declare('stats', queries, (_, n) => `rows[base + row_${n}]`)}
          // Sᵀ = K Qᵀ and dPᵀ = V dYᵀ, [rows, queries]; rows are keys
          ${each(queries, (n) => `var s${n} = Rows(); var d${n} = Rows();`)}
          for (var c = 0u; c < params.keyWidth; c++) {
            ${broadcast.declare('query', queries, (_, n) => `q[q_row_${n} + c]`)}
            let k_c = ${laneValue(o, 'k_rows', 'c')};
            ${each(queries, (n) => `s${n} += ${broadcast.read('query', n)} * k_c;`)}
          }
          for (var c = 0u; c < params.valueWidth; c++) {
            ${broadcast.declare('cotangent', queries, (_, n) => `dy[y_row_${n} + c]`)}
            let v_c = ${laneValue(o, 'v_rows', 'c')};
            ${each(queries, (n) => `d${n} += ${broadcast.read('cotangent', n)} * v_c;`)}
          }
          // Pᵀ and dSᵀ, [rows, queries]; dK += dSᵀ Q, [rows, Dk]; dV += Pᵀ dY, [rows, Dv]
          ${backward}
          for (var c = 0u; c < params.keyWidth; c++) {
            ${broadcast.declare('query', queries, (_, n) => `q[q_row_${n} + c]`)}
            var dk_c = ${laneValue(o, 'dk_sum', 'c')};
            ${each(queries, (n) => `dk_c += ${broadcast.read('query', n)} * g${n};`)}
            ${laneValue(o, 'dk_sum', 'c')} = dk_c;
          }
          for (var c = 0u; c < params.valueWidth; c++) {
            ${broadcast.declare('cotangent', queries, (_, n) => `dy[y_row_${n} + c]`)}
            var dv_c = ${laneValue(o, 'dv_sum', 'c')};
            ${each(queries, (n) => `dv_c += ${broadcast.read('cotangent', n)} * p${n};`)}
            ${laneValue(o, 'dv_sum', 'c')} = dv_c;
          }
        }
      }
      ${each(
        o.rows,
        (r) => /* wgsl */ `if (${part(o, 'lane_row', r)} < params.keys) {
          for (var c = 0u; c < params.keyWidth; c++) {
            ${dk}[${part(o, 'k_start', r)} + c] = ${part(o, laneValue(o, 'dk_sum', 'c'), r)};
          }
          for (var c = 0u; c < params.valueWidth; c++) {
            ${dv}[${part(o, 'v_start', r)} + c] = ${part(o, laneValue(o, 'dv_sum', 'c'), r)};
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows };
}
