import { defineForward, type ForwardProgram, type Tiled, type Variant } from '../programs.js';
import { forwardValues } from '../score/pairs.js';
import { each } from '../text.js';
import type { Broadcast } from './broadcast.js';
import {
  layoutOf,
  type Owned,
  own,
  ownArrays,
  ownIndices,
  part,
  rowStats,
  vector,
  vectorTypes,
} from './owned.js';
import { tileOf } from './tile.js';

/**
 * Each lane owns up to four queries and their outputs; tiles of keys are broadcast to all lanes.
 *
 * One pass over the keys with the largest score and the sum so far (online softmax).
 */
export function lanesForward(
  variant: Variant,
  broadcast: Broadcast,
  o: Owned,
  keys: number,
): Tiled<ForwardProgram> {
  const { widths, score } = variant;
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const met = { limit: 'stop', stats: () => rowStats };
  const layout = layoutOf('q', o, broadcast, keys);
  const { pairs, arrays, forward, drop } = tileOf(score, layout, forwardValues(score), met);
  const program = defineForward(
    variant,
    { enable: broadcast.enable, types: vectorTypes(o) },
    /* wgsl */ `
    ${arrays}
    ${ownArrays(o, { mine: widths.key, sum: widths.value })}
    @compute @workgroup_size(${lanes})
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let tile = tile_of(workgroup, count);
      if (tile >= params.tilesOfAll) { return; }
      let head = tile / params.tiles;
      ${pairs.head}
      let first = (tile % params.tiles) * ${rows}u;
      let kv = head / params.group * params.keys;

      let own_row = ${ownIndices(o, 'first')};
      ${pairs.own}
      let row = head * params.queries + min(own_row, RowIndices(params.queries - 1u));
      let q_start = row * params.keyWidth;
      let y_start = row * params.valueWidth;
      let q0 = i32(first) + params.shift;
      let q1 = i32(min(first + ${rows}u, params.queries)) - 1 + params.shift;
      let stop = key_stop(b, h, q0, q1);

      for (var c = 0u; c < params.keyWidth; c++) {
        ${own(o, 'mine', 'c')} = ${vector(o, 'Rows', (r) => `q[${part(o, 'q_start', r)} + c]`)};
      }
      var largest = Rows(${pairs.sink ?? 'lowest'});
      var total = Rows(${pairs.sink ? '1.0' : '0.0'});
      for (var first_other = 0u; first_other < stop; first_other += ${keys}u) {
        let k1 = i32(min(first_other + ${keys}u, stop)) - 1;
        if (tile_hidden(b, h, q0, q1, i32(first_other), k1)) { continue; }
        ${broadcast.declare('row', keys, (i) => `kv + min(first_other + ${i}, stop - 1u)`)}
        ${broadcast.declare('k_row', keys, (_, n) => `row_${n} * params.keyWidth`)}
        ${broadcast.declare('v_row', keys, (_, n) => `row_${n} * params.valueWidth`)}
        ${each(keys, (i) => `var s${i} = Rows();`)}
        for (var c = 0u; c < params.keyWidth; c++) {
          ${broadcast.declare('key', keys, (_, n) => `k[k_row_${n} + c]`)}
          let mine_c = ${own(o, 'mine', 'c')};
          ${each(keys, (i) => `s${i} += ${broadcast.take('key', i)} * mine_c;`)}
        }
        ${forward}
        var peak = largest;
        ${each(keys, (i) => `peak = max(peak, s${i});`)}
        let fade = exp(largest - peak);
        largest = peak;
        total *= fade;
        ${each(keys, (i) => `var p${i} = exp(s${i} - peak); total += p${i}; ${drop(i)}`)}
        for (var c = 0u; c < params.valueWidth; c++) {
          ${broadcast.declare('value', keys, (_, n) => `v[v_row_${n} + c]`)}
          var sum_c = ${own(o, 'sum', 'c')} * fade;
          ${each(keys, (i) => `sum_c += ${broadcast.take('value', i)} * p${i};`)}
          ${own(o, 'sum', 'c')} = sum_c;
        }
      }

      // A query that sees no key has summed what is hidden, or nothing; a sum that is no number is neither.
      let sees = !((largest <= Rows(lowest)) & (total >= Rows()));
      let scale = select(Rows(0.0), 1.0 / total, sees);
      let log_sum = select(Rows(0.0), log(total), sees);
      ${each(
        o.rows,
        (r) => /* wgsl */ `if (${part(o, 'own_row', r)} < params.queries) {
          let at = 2u * ${part(o, 'row', r)};
          stats[at] = ${part(o, 'largest', r)};
          stats[at + 1u] = ${part(o, 'log_sum', r)};
          for (var c = 0u; c < params.valueWidth; c++) {
            let value = ${part(o, own(o, 'sum', 'c'), r)} * ${part(o, 'scale', r)};
            y[${part(o, 'y_start', r)} + c] = select(0.0, value, ${part(o, 'sees', r)});
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows };
}
