import {
  defineKeyGradient,
  type KeyGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import { backwardValues } from '../score/pairs.js';
import { each } from '../text.js';
import type { Broadcast } from './broadcast.js';
import {
  layoutOf,
  type Owned,
  own,
  ownArrays,
  ownIndices,
  part,
  vector,
  vectorTypes,
} from './owned.js';
import { tileOf } from './tile.js';

/**
 * `dV = Pᵀ dY`, `dK = dSᵀ Q`: each lane owns keys, the queries of all heads that share them are broadcast.
 */
export function lanesKeyGradient(
  variant: Variant,
  broadcast: Broadcast,
  o: Owned,
  queries: number,
): Tiled<KeyGradientProgram> {
  const { widths, score } = variant;
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const layout = layoutOf('k', o, broadcast, queries);
  const statsOf = (n: number) => {
    const ofRow = (field: string) => `Rows(stats${n}.${field})`;
    return { largest: ofRow('x'), logSum: ofRow('y'), delta: ofRow('z') };
  };
  const { pairs, arrays, backward } = tileOf(score, layout, backwardValues(score), {
    limit: 'params.queries',
    stats: statsOf,
    declare: {
      at: (n) => `let stats${n} = ${broadcast.take('stats', n)};`,
      inLoop: 'let stats0 = rows[base + first_other + i];',
    },
  });
  const program = defineKeyGradient(
    variant,
    { enable: broadcast.enable, types: vectorTypes(o) },
    /* wgsl */ `
    ${arrays}
    ${ownArrays(o, { mine: widths.key, v_mine: widths.value, dk_sum: widths.key, dv_sum: widths.value })}
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

      let own_row = ${ownIndices(o, 'first')};
      let row = kv * params.keys + min(own_row, RowIndices(params.keys - 1u));
      let k_start = row * params.keyWidth;
      let v_start = row * params.valueWidth;
      let k0 = i32(first);
      let k1 = i32(min(first + ${rows}u, params.keys)) - 1;
      for (var c = 0u; c < params.keyWidth; c++) {
        ${own(o, 'mine', 'c')} = ${vector(o, 'Rows', (r) => `k[${part(o, 'k_start', r)} + c]`)};
      }
      for (var c = 0u; c < params.valueWidth; c++) {
        ${own(o, 'v_mine', 'c')} = ${vector(o, 'Rows', (r) => `v[${part(o, 'v_start', r)} + c]`)};
      }
      for (var head = kv * params.group; head < (kv + 1u) * params.group; head++) {
        ${pairs.head}
        ${pairs.own}
        let base = head * params.queries;
        for (var first_other = 0u; first_other < params.queries; first_other += ${queries}u) {
          let q0 = i32(first_other) + params.shift;
          let q1 = i32(min(first_other + ${queries}u, params.queries)) - 1 + params.shift;
          if (tile_hidden(b, h, q0, q1, k0, k1)) { continue; }
          ${broadcast.declare('row', queries, (n) => `base + min(first_other + ${n}, params.queries - 1u)`)}
          ${broadcast.declare('q_row', queries, (_, n) => `row_${n} * params.keyWidth`)}
          ${broadcast.declare('y_row', queries, (_, n) => `row_${n} * params.valueWidth`)}
          ${broadcast.declare('stats', queries, (_, n) => `rows[row_${n}]`)}
          ${each(queries, (n) => `var s${n} = Rows(); var d${n} = Rows();`)}
          for (var c = 0u; c < params.keyWidth; c++) {
            ${broadcast.declare('query', queries, (_, n) => `q[q_row_${n} + c]`)}
            let mine_c = ${own(o, 'mine', 'c')};
            ${each(queries, (n) => `s${n} += ${broadcast.take('query', n)} * mine_c;`)}
          }
          for (var c = 0u; c < params.valueWidth; c++) {
            ${broadcast.declare('cotangent', queries, (_, n) => `dy[y_row_${n} + c]`)}
            let v_c = ${own(o, 'v_mine', 'c')};
            ${each(queries, (n) => `d${n} += ${broadcast.take('cotangent', n)} * v_c;`)}
          }
          ${backward}
          for (var c = 0u; c < params.keyWidth; c++) {
            ${broadcast.declare('query', queries, (_, n) => `q[q_row_${n} + c]`)}
            var dk_c = ${own(o, 'dk_sum', 'c')};
            ${each(queries, (n) => `dk_c += ${broadcast.take('query', n)} * g${n};`)}
            ${own(o, 'dk_sum', 'c')} = dk_c;
          }
          for (var c = 0u; c < params.valueWidth; c++) {
            ${broadcast.declare('cotangent', queries, (_, n) => `dy[y_row_${n} + c]`)}
            var dv_c = ${own(o, 'dv_sum', 'c')};
            ${each(queries, (n) => `dv_c += ${broadcast.take('cotangent', n)} * p${n};`)}
            ${own(o, 'dv_sum', 'c')} = dv_c;
          }
        }
      }
      ${each(
        o.rows,
        (r) => /* wgsl */ `if (${part(o, 'own_row', r)} < params.keys) {
          for (var c = 0u; c < params.keyWidth; c++) {
            dk[${part(o, 'k_start', r)} + c] = ${part(o, own(o, 'dk_sum', 'c'), r)};
          }
          for (var c = 0u; c < params.valueWidth; c++) {
            dv[${part(o, 'v_start', r)} + c] = ${part(o, own(o, 'dv_sum', 'c'), r)};
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows };
}
