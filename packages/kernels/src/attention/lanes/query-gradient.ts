import {
  defineQueryGradient,
  type QueryGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import { each } from '../text.js';
import type { Broadcast } from './broadcast.js';
import { type Owned, own, ownArrays, ownIndices, part, vector, vectorTypes } from './owned.js';

/** `dQ = dS K`, `dS = P ∘ (dY Vᵀ − D) · scale`: each lane owns queries, keys and values are broadcast. */
export function lanesQueryGradient(
  variant: Variant,
  broadcast: Broadcast,
  o: Owned,
  keys: number,
): Tiled<QueryGradientProgram> {
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const ofRows = (field: string) => vector(o, 'Rows', (r) => `stats${r}.${field}`);
  const program = defineQueryGradient(
    variant,
    { enable: broadcast.enable, types: vectorTypes(o) },
    /* wgsl */ `
    ${ownArrays(o, 'mine', 'dy_mine', 'sum')}
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
      let kv = head / params.group * params.keys * params.width;

      let query = ${ownIndices(o, 'first')};
      let row = head * params.queries + min(query, RowIndices(params.queries - 1u));
      let start = row * params.width;
      ${each(o.rows, (r) => `let stats${r} = rows[${part(o, 'row', r)}];`)}
      let largest = ${ofRows('x')};
      let log_sum = ${ofRows('y')};
      let end = RowIndices(${ofRows('z')});
      let delta = ${ofRows('w')};
      let last = head * params.queries + min(first + ${rows}u, params.queries) - 1u;
      let stop = u32(rows[last].z);

      for (var c = 0u; c < params.width; c++) {
        ${own(o, 'mine', 'c')} = ${vector(o, 'Rows', (r) => `q[${part(o, 'start', r)} + c]`)};
        ${own(o, 'dy_mine', 'c')} = ${vector(o, 'Rows', (r) => `dy[${part(o, 'start', r)} + c]`)};
      }
      for (var j = 0u; j < stop; j += ${keys}u) {
        ${broadcast.declare('row', keys, (i) => `kv + min(j + ${i}, stop - 1u) * params.width`)}
        ${each(keys, (i) => `var s${i} = Rows(); var d${i} = Rows();`)}
        for (var c = 0u; c < params.width; c++) {
          ${broadcast.declare('key', keys, (_, n) => `k[row_${n} + c]`)}
          ${broadcast.declare('value', keys, (_, n) => `v[row_${n} + c]`)}
          let mine_c = ${own(o, 'mine', 'c')};
          let dy_c = ${own(o, 'dy_mine', 'c')};
          ${each(
            keys,
            (i) => /* wgsl */ `
              s${i} += ${broadcast.take('key', i)} * mine_c;
              d${i} += ${broadcast.take('value', i)} * dy_c;`,
          )}
        }
        ${each(
          keys,
          (i) => /* wgsl */ `
            let key${i} = RowIndices(j + ${i}u);
            let p${i} = exp(score(s${i}, head, query, key${i}) - largest - log_sum);
            let slope${i} = score_slope(s${i}, head, query, key${i});
            let g${i} = select(Rows(), p${i} * (d${i} - delta) * slope${i}, key${i} < end);`,
        )}
        for (var c = 0u; c < params.width; c++) {
          ${broadcast.declare('key', keys, (_, n) => `k[row_${n} + c]`)}
          var sum_c = ${own(o, 'sum', 'c')};
          ${each(keys, (i) => `sum_c += ${broadcast.take('key', i)} * g${i};`)}
          ${own(o, 'sum', 'c')} = sum_c;
        }
      }
      ${each(
        o.rows,
        (r) => /* wgsl */ `if (${part(o, 'query', r)} < params.queries) {
          for (var c = 0u; c < params.width; c++) {
            dq[${part(o, 'start', r)} + c] = ${part(o, own(o, 'sum', 'c'), r)};
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows };
}
