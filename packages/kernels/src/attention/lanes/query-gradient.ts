import {
  defineQueryGradient,
  type QueryGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import { each } from '../text.js';
import { type Broadcast, inGroups } from './broadcast.js';
import { type Owned, own, ownArrays, ownIndices, part, vector, vectorTypes } from './owned.js';

/** `dQ = dS K`, `dS = P ∘ (dY Vᵀ − D) · scale`: each lane owns queries, keys and values are broadcast. */
export function lanesQueryGradient(
  variant: Variant,
  broadcast: Broadcast,
  o: Owned,
  keys: number,
): Tiled<QueryGradientProgram> {
  const { lanes, columns } = broadcast;
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
        ${broadcast.find('row', keys, (i) => `kv + min(j + ${i}, stop - 1u) * params.width`)}
        ${each(keys, (i) => `var s${i} = Rows(); var d${i} = Rows();`)}
        ${inGroups(
          broadcast,
          keys,
          (from, count) => /* wgsl */ `
            for (var c = 0u; c < params.width; c += ${columns}u) {
              ${broadcast.read('key', 'k', 'row', count, from)}
              ${broadcast.read('value', 'v', 'row', count, from)}
              ${each(
                columns,
                (x) => /* wgsl */ `{
                  let mine_x = ${own(o, 'mine', `c + ${x}u`)};
                  let dy_x = ${own(o, 'dy_mine', `c + ${x}u`)};
                  ${each(
                    count,
                    (n) => /* wgsl */ `
                      s${from + n} += ${broadcast.take('key', from + n, x)} * mine_x;
                      d${from + n} += ${broadcast.take('value', from + n, x)} * dy_x;`,
                  )}
                }`,
              )}
            }`,
        )}
        ${each(
          keys,
          (i) => /* wgsl */ `
            let key${i} = RowIndices(j + ${i}u);
            let p${i} = exp(score(s${i}, head, query, key${i}) - largest - log_sum);
            let slope${i} = score_slope(s${i}, head, query, key${i});
            let g${i} = select(Rows(), p${i} * (d${i} - delta) * slope${i}, key${i} < end);`,
        )}
        for (var c = 0u; c < params.width; c += ${columns}u) {
          ${broadcast.read('key', 'k', 'row', keys)}
          ${each(
            columns,
            (x) => /* wgsl */ `{
              var sum_x = ${own(o, 'sum', `c + ${x}u`)};
              ${each(keys, (i) => `sum_x += ${broadcast.take('key', i, x)} * g${i};`)}
              ${own(o, 'sum', `c + ${x}u`)} = sum_x;
            }`,
          )}
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
