import { defineForward, type ForwardProgram, type Tiled, type Variant } from '../programs.js';
import { forwardValues } from '../score/pairs.js';
import { each } from '../text.js';
import type { LaneBroadcast } from './broadcast.js';
import {
  type LaneRows,
  laneArrays,
  laneRowIndices,
  laneValue,
  layoutOf,
  part,
  rowStats,
  vector,
  vectorTypes,
} from './lane-rows.js';
import { tileOf } from './tile.js';

/**
 * Forward attention: each lane holds up to four queries and their outputs; tiles of keys are broadcast to all lanes.
 *
 * One pass over the keys with a running maximum and sum (online softmax).
 */
export function lanesForward(
  variant: Variant,
  broadcast: LaneBroadcast,
  o: LaneRows,
  keys: number,
): Tiled<ForwardProgram> {
  const { widths, score } = variant;
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const bounds = { limit: 'stop', stats: () => rowStats };
  const layout = layoutOf('q', o, broadcast, keys);
  const { pairs, arrays, forward, drop } = tileOf(score, layout, forwardValues(score), bounds);
  const program = defineForward(
    variant,
    { enable: broadcast.enable, types: vectorTypes(o) },
    /* wgsl */ `
    ${arrays}
    ${laneArrays(o, { q_rows: widths.key, y_rows: widths.value })}
    @compute @workgroup_size(${lanes})
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let tile = tile_of(workgroup, count);
      if (tile >= params.tilesOfAll) { return; }
      let head = tile / params.tiles;
      ${pairs.headValues}
      let first = (tile % params.tiles) * ${rows}u;
      let kv = head / params.group;
      let k_first = k_base(kv);
      let v_first = v_base(kv);

      let lane_row = ${laneRowIndices(o, 'first')};
      ${pairs.laneValues}
      let own_row = min(lane_row, RowIndices(params.queries - 1u));
      let row = head * params.queries + own_row;
      let q_start = q_base(head) + own_row * params.qRow;
      let y_start = y_base(head) + own_row * params.yRow;
      let q0 = i32(first) + params.shift;
      let q1 = i32(min(first + ${rows}u, params.queries)) - 1 + params.shift;
      let stop = key_stop(b, h, q0, q1);

      for (var c = 0u; c < params.keyWidth; c++) {
        ${laneValue(o, 'q_rows', 'c')} = ${vector(o, 'Rows', (r) => `q[${part(o, 'q_start', r)} + c]`)};
      }
      var largest = Rows(${pairs.sink ?? 'lowest'});
      var total = Rows(${pairs.sink ? '1.0' : '0.0'});
      for (var tile_start = 0u; tile_start < stop; tile_start += ${keys}u) {
        let k1 = i32(min(tile_start + ${keys}u, stop)) - 1;
        if (tile_hidden(b, h, q0, q1, i32(tile_start), k1)) { continue; }
        ${broadcast.declare('row', keys, (i) => `min(tile_start + ${i}, stop - 1u)`)}
        ${broadcast.declare('k_row', keys, (_, n) => `k_first + row_${n} * params.kRow`)}
        ${broadcast.declare('v_row', keys, (_, n) => `v_first + row_${n} * params.vRow`)}
        // S = Q Kᵀ, [rows, keys]
        ${each(keys, (i) => `var s${i} = Rows();`)}
        for (var c = 0u; c < params.keyWidth; c++) {
          ${broadcast.declare('key', keys, (_, n) => `k[k_row_${n} + c]`)}
          let q_c = ${laneValue(o, 'q_rows', 'c')};
          ${each(keys, (i) => `s${i} += ${broadcast.read('key', i)} * q_c;`)}
        }
        // scores, masked; then the running maximum and sum, [rows]
        ${forward}
        var peak = largest;
        ${each(keys, (i) => `peak = max(peak, s${i});`)}
        let fade = exp(largest - peak);
        largest = peak;
        total *= fade;
        ${each(keys, (i) => `var p${i} = exp(s${i} - peak); total += p${i}; ${drop(i)}`)}
        // Y = Y · fade + P V, [rows, Dv]
        for (var c = 0u; c < params.valueWidth; c++) {
          ${broadcast.declare('value', keys, (_, n) => `v[v_row_${n} + c]`)}
          var y_c = ${laneValue(o, 'y_rows', 'c')} * fade;
          ${each(keys, (i) => `y_c += ${broadcast.read('value', i)} * p${i};`)}
          ${laneValue(o, 'y_rows', 'c')} = y_c;
        }
      }

      // A query whose keys are all masked gives 0; NaN scores give NaN.
      let sees = !((largest <= Rows(lowest)) & (total >= Rows()));
      let scale = select(Rows(0.0), 1.0 / total, sees);
      let log_sum = select(Rows(0.0), log(total), sees);
      ${each(
        o.rows,
        (r) => /* wgsl */ `if (${part(o, 'lane_row', r)} < params.queries) {
          let at = 2u * ${part(o, 'row', r)};
          stats[at] = ${part(o, 'largest', r)};
          stats[at + 1u] = ${part(o, 'log_sum', r)};
          for (var c = 0u; c < params.valueWidth; c++) {
            let value = ${part(o, laneValue(o, 'y_rows', 'c'), r)} * ${part(o, 'scale', r)};
            y[${part(o, 'y_start', r)} + c] = select(0.0, value, ${part(o, 'sees', r)});
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows };
}
