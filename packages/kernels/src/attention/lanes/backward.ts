import {
  defineKeyGradient,
  defineQueryGradient,
  type KeyGradientProgram,
  type QueryGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import type { Broadcast } from './broadcast.js';
import { capacityOf, rowsPerLane } from './forward.js';
import { each } from './text.js';

/**
 * `dQ = dS K`, `dS = P ∘ (dY Vᵀ − D) · scale`: each lane owns four queries, keys and values are broadcast.
 */
export function lanesQueryGradient(
  variant: Variant,
  broadcast: Broadcast,
  keys: number,
): Tiled<QueryGradientProgram> {
  const { lanes, columns } = broadcast;
  const capacity = capacityOf(variant.width);
  const program = defineQueryGradient(
    variant,
    broadcast.enable,
    /* wgsl */ `
    @compute @workgroup_size(${lanes})
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let tile = tile_of(workgroup, count);
      if (tile >= params.tilesOfAll) { return; }
      let head = tile / params.tiles;
      let first = (tile % params.tiles) * ${lanes * rowsPerLane}u;
      let kv = head / params.group * params.keys * params.width;

      let query = first + lane + vec4u(0u, ${lanes}u, ${2 * lanes}u, ${3 * lanes}u);
      let row = head * params.queries + min(query, vec4u(params.queries - 1u));
      let start = row * params.width;
      let row_stats = transpose(mat4x4f(rows[row.x], rows[row.y], rows[row.z], rows[row.w]));
      let largest = row_stats[0];
      let log_sum = row_stats[1];
      let end = vec4u(row_stats[2]);
      let delta = row_stats[3];
      let last = head * params.queries + min(first + ${lanes * rowsPerLane}u, params.queries) - 1u;
      let stop = u32(rows[last].z);

      var mine: array<vec4f, ${capacity}>;
      var dy_mine: array<vec4f, ${capacity}>;
      var sum: array<vec4f, ${capacity}>;
      for (var c = 0u; c < params.width; c++) {
        mine[c] = vec4f(q[start.x + c], q[start.y + c], q[start.z + c], q[start.w + c]);
        dy_mine[c] = vec4f(dy[start.x + c], dy[start.y + c], dy[start.z + c], dy[start.w + c]);
      }
      for (var j = 0u; j < stop; j += ${keys}u) {
        ${broadcast.find('row', keys, (i) => `kv + min(j + ${i}, stop - 1u) * params.width`)}
        ${each(keys, (i) => `var s${i} = vec4f(); var d${i} = vec4f();`)}
        for (var c = 0u; c < params.width; c += ${columns}u) {
          ${broadcast.read('key', 'k', 'row', keys)}
          ${broadcast.read('value', 'v', 'row', keys)}
          ${each(
            columns,
            (x) => /* wgsl */ `{
            let own = mine[c + ${x}u];
            let own_dy = dy_mine[c + ${x}u];
            ${each(
              keys,
              (i) => /* wgsl */ `
              s${i} += ${broadcast.take('key', i, x)} * own;
              d${i} += ${broadcast.take('value', i, x)} * own_dy;`,
            )}
          }`,
          )}
        }
        ${each(
          keys,
          (i) => /* wgsl */ `
          let key${i} = vec4u(j + ${i}u);
          let p${i} = exp(score(s${i}, head, query, key${i}) - largest - log_sum);
          let g${i} = select(
            vec4f(), p${i} * (d${i} - delta) * score_slope(s${i}, head, query, key${i}), key${i} < end);`,
        )}
        for (var c = 0u; c < params.width; c += ${columns}u) {
          ${broadcast.read('key', 'k', 'row', keys)}
          ${each(
            columns,
            (x) => /* wgsl */ `{
            var own = sum[c + ${x}u];
            ${each(keys, (i) => `own += ${broadcast.take('key', i, x)} * g${i};`)}
            sum[c + ${x}u] = own;
          }`,
          )}
        }
      }
      ${each(
        rowsPerLane,
        (r) => /* wgsl */ `if (query[${r}] < params.queries) {
          for (var c = 0u; c < params.width; c++) { dq[start[${r}] + c] = sum[c][${r}]; }
        }`,
      )}
    }
  `,
  );
  return { program, rows: lanes * rowsPerLane };
}

/**
 * `dV = Pᵀ dY`, `dK = dSᵀ Q`: each lane owns four keys, the queries of all heads that share them are broadcast.
 */
export function lanesKeyGradient(
  variant: Variant,
  broadcast: Broadcast,
  queries: number,
): Tiled<KeyGradientProgram> {
  const { lanes, columns } = broadcast;
  const capacity = capacityOf(variant.width);
  const program = defineKeyGradient(
    variant,
    broadcast.enable,
    /* wgsl */ `
    @compute @workgroup_size(${lanes})
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let tile = tile_of(workgroup, count);
      if (tile >= params.tilesOfAll) { return; }
      let kv = tile / params.tiles;
      let first = (tile % params.tiles) * ${lanes * rowsPerLane}u;

      let key = first + lane + vec4u(0u, ${lanes}u, ${2 * lanes}u, ${3 * lanes}u);
      let start = (kv * params.keys + min(key, vec4u(params.keys - 1u))) * params.width;
      var mine: array<vec4f, ${capacity}>;
      var v_mine: array<vec4f, ${capacity}>;
      var dk_sum: array<vec4f, ${capacity}>;
      var dv_sum: array<vec4f, ${capacity}>;
      for (var c = 0u; c < params.width; c++) {
        mine[c] = vec4f(k[start.x + c], k[start.y + c], k[start.z + c], k[start.w + c]);
        v_mine[c] = vec4f(v[start.x + c], v[start.y + c], v[start.z + c], v[start.w + c]);
      }
      for (var head = kv * params.group; head < (kv + 1u) * params.group; head++) {
        let base = head * params.queries;
        // Where even the last query sees none of these keys, no query does.
        let begin = select(query_begin(first), params.queries, u32(rows[base + params.queries - 1u].z) <= first);
        for (var i = begin; i < params.queries; i += ${queries}u) {
          ${broadcast.find('row', queries, (i) => `(base + min(i + ${i}, params.queries - 1u)) * params.width`)}
          ${broadcast.readElements('stats', queries, (i) => `rows[base + min(i + ${i}, params.queries - 1u)]`)}
          ${each(
            queries,
            (i) => /* wgsl */ `
            let query${i} = min(i + ${i}u, params.queries - 1u);
            let stats${i} = ${broadcast.takeElement('stats', i)};
            var s${i} = vec4f();
            var d${i} = vec4f();`,
          )}
          for (var c = 0u; c < params.width; c += ${columns}u) {
            ${broadcast.read('query', 'q', 'row', queries)}
            ${broadcast.read('cotangent', 'dy', 'row', queries)}
            ${each(
              columns,
              (x) => /* wgsl */ `{
              let own = mine[c + ${x}u];
              let own_v = v_mine[c + ${x}u];
              ${each(
                queries,
                (i) => /* wgsl */ `
                s${i} += ${broadcast.take('query', i, x)} * own;
                d${i} += ${broadcast.take('cotangent', i, x)} * own_v;`,
              )}
            }`,
            )}
          }
          ${each(
            queries,
            (i) => /* wgsl */ `
            let seen${i} = (key < vec4u(u32(stats${i}.z))) & vec4<bool>(i + ${i}u < params.queries);
            let p${i} = select(
              vec4f(), exp(score(s${i}, head, vec4u(query${i}), key) - stats${i}.x - stats${i}.y), seen${i});
            let g${i} = select(
              vec4f(), p${i} * (d${i} - stats${i}.w) * score_slope(s${i}, head, vec4u(query${i}), key), seen${i});`,
          )}
          for (var c = 0u; c < params.width; c += ${columns}u) {
            ${broadcast.read('query', 'q', 'row', queries)}
            ${broadcast.read('cotangent', 'dy', 'row', queries)}
            ${each(
              columns,
              (x) => /* wgsl */ `{
              var own_k = dk_sum[c + ${x}u];
              var own_v = dv_sum[c + ${x}u];
              ${each(
                queries,
                (i) => /* wgsl */ `
                own_k += ${broadcast.take('query', i, x)} * g${i};
                own_v += ${broadcast.take('cotangent', i, x)} * p${i};`,
              )}
              dk_sum[c + ${x}u] = own_k;
              dv_sum[c + ${x}u] = own_v;
            }`,
            )}
          }
        }
      }
      ${each(
        rowsPerLane,
        (r) => /* wgsl */ `if (key[${r}] < params.keys) {
          for (var c = 0u; c < params.width; c++) {
            dk[start[${r}] + c] = dk_sum[c][${r}];
            dv[start[${r}] + c] = dv_sum[c][${r}];
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows: lanes * rowsPerLane };
}
