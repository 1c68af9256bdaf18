import {
  defineKeyGradient,
  type KeyGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import { each } from '../text.js';
import type { Broadcast } from './broadcast.js';
import { type Owned, own, ownArrays, ownIndices, part, vector, vectorTypes } from './owned.js';

/**
 * `dV = Pᵀ dY`, `dK = dSᵀ Q`: each lane owns keys, the queries of all heads that share them are broadcast.
 */
export function lanesKeyGradient(
  variant: Variant,
  broadcast: Broadcast,
  o: Owned,
  queries: number,
): Tiled<KeyGradientProgram> {
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const program = defineKeyGradient(
    variant,
    { enable: broadcast.enable, types: vectorTypes(o) },
    /* wgsl */ `
    ${ownArrays(o, 'mine', 'v_mine', 'dk_sum', 'dv_sum')}
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

      let key = ${ownIndices(o, 'first')};
      let start = (kv * params.keys + min(key, RowIndices(params.keys - 1u))) * params.width;
      for (var c = 0u; c < params.width; c++) {
        ${own(o, 'mine', 'c')} = ${vector(o, 'Rows', (r) => `k[${part(o, 'start', r)} + c]`)};
        ${own(o, 'v_mine', 'c')} = ${vector(o, 'Rows', (r) => `v[${part(o, 'start', r)} + c]`)};
      }
      for (var head = kv * params.group; head < (kv + 1u) * params.group; head++) {
        let base = head * params.queries;
        // Where even the last query sees none of these keys, no query does.
        let seen = u32(rows[base + params.queries - 1u].z) > first;
        for (var i = select(params.queries, query_begin(first), seen); i < params.queries; i += ${queries}u) {
          ${broadcast.declare('row', queries, (n) => `(base + min(i + ${n}, params.queries - 1u)) * params.width`)}
          ${broadcast.declare('stats', queries, (n) => `rows[base + min(i + ${n}, params.queries - 1u)]`)}
          ${each(queries, (n) => `var s${n} = Rows(); var d${n} = Rows();`)}
          for (var c = 0u; c < params.width; c++) {
            ${broadcast.declare('query', queries, (_, n) => `q[row_${n} + c]`)}
            ${broadcast.declare('cotangent', queries, (_, n) => `dy[row_${n} + c]`)}
            let mine_c = ${own(o, 'mine', 'c')};
            let v_c = ${own(o, 'v_mine', 'c')};
            ${each(
              queries,
              (n) => /* wgsl */ `
                s${n} += ${broadcast.take('query', n)} * mine_c;
                d${n} += ${broadcast.take('cotangent', n)} * v_c;`,
            )}
          }
          ${each(
            queries,
            (n) => /* wgsl */ `
              let stats${n} = ${broadcast.take('stats', n)};
              let query${n} = RowIndices(i + ${n}u);
              let end${n} = select(0u, u32(stats${n}.z), i + ${n}u < params.queries);
              let e${n} = exp(score(s${n}, head, query${n}, key) - stats${n}.x - stats${n}.y);
              let p${n} = select(Rows(), e${n}, key < RowIndices(end${n}));
              let slope${n} = score_slope(s${n}, head, query${n}, key);
              let g${n} = select(Rows(), p${n} * (d${n} - stats${n}.w) * slope${n}, key < RowIndices(end${n}));`,
          )}
          for (var c = 0u; c < params.width; c++) {
            ${broadcast.declare('query', queries, (_, n) => `q[row_${n} + c]`)}
            ${broadcast.declare('cotangent', queries, (_, n) => `dy[row_${n} + c]`)}
            var dk_c = ${own(o, 'dk_sum', 'c')};
            var dv_c = ${own(o, 'dv_sum', 'c')};
            ${each(
              queries,
              (n) => /* wgsl */ `
                dk_c += ${broadcast.take('query', n)} * g${n};
                dv_c += ${broadcast.take('cotangent', n)} * p${n};`,
            )}
            ${own(o, 'dk_sum', 'c')} = dk_c;
            ${own(o, 'dv_sum', 'c')} = dv_c;
          }
        }
      }
      ${each(
        o.rows,
        (r) => /* wgsl */ `if (${part(o, 'key', r)} < params.keys) {
          for (var c = 0u; c < params.width; c++) {
            dk[${part(o, 'start', r)} + c] = ${part(o, own(o, 'dk_sum', 'c'), r)};
            dv[${part(o, 'start', r)} + c] = ${part(o, own(o, 'dv_sum', 'c'), r)};
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows };
}
