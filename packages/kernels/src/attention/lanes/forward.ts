import { defineForward, type ForwardProgram, type Tiled, type Variant } from '../programs.js';
import type { Broadcast } from './broadcast.js';
import { each } from './text.js';

/** Queries or keys that a lane owns: the components of a vector. */
export const rowsPerLane = 4;

/** Columns that a lane has room for: few sizes, so that heads of several widths share programs. */
export const capacityOf = (width: number): number => Math.max(64, 2 ** Math.ceil(Math.log2(width)));

/**
 * Each lane owns four queries and their outputs; tiles of keys are broadcast to all lanes.
 *
 * One pass over the keys with the largest score and the sum so far (online softmax).
 */
export function lanesForward(
  variant: Variant,
  broadcast: Broadcast,
  keys: number,
): Tiled<ForwardProgram> {
  const { lanes, columns } = broadcast;
  const capacity = capacityOf(variant.width);
  const program = defineForward(
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
      let length = length_of(head);
      let end = vec4u(
        key_end(query.x, length), key_end(query.y, length),
        key_end(query.z, length), key_end(query.w, length),
      );
      let stop = key_end(min(first + ${lanes * rowsPerLane}u, params.queries) - 1u, length);

      var mine: array<vec4f, ${capacity}>;
      var sum: array<vec4f, ${capacity}>;
      for (var c = 0u; c < params.width; c++) {
        mine[c] = vec4f(q[start.x + c], q[start.y + c], q[start.z + c], q[start.w + c]);
      }
      var largest = vec4f(lowest);
      var total = vec4f(0.0);
      for (var j = 0u; j < stop; j += ${keys}u) {
        ${broadcast.find('row', keys, (i) => `kv + min(j + ${i}, stop - 1u) * params.width`)}
        ${each(keys, (i) => `var s${i} = vec4f();`)}
        for (var c = 0u; c < params.width; c += ${columns}u) {
          ${broadcast.read('key', 'k', 'row', keys)}
          ${each(
            columns,
            (x) => /* wgsl */ `{
            let own = mine[c + ${x}u];
            ${each(keys, (i) => `s${i} += ${broadcast.take('key', i, x)} * own;`)}
          }`,
          )}
        }
        var peak = largest;
        ${each(
          keys,
          (i) => /* wgsl */ `
          s${i} = select(vec4f(lowest), score(s${i}, head, query, vec4u(j + ${i}u)), vec4u(j + ${i}u) < end);
          peak = max(peak, s${i});`,
        )}
        let fade = exp(largest - peak);
        largest = peak;
        total *= fade;
        ${each(keys, (i) => `let p${i} = exp(s${i} - peak); total += p${i};`)}
        for (var c = 0u; c < params.width; c += ${columns}u) {
          ${broadcast.read('value', 'v', 'row', keys)}
          ${each(
            columns,
            (x) => /* wgsl */ `{
            var own = sum[c + ${x}u] * fade;
            ${each(keys, (i) => `own += ${broadcast.take('value', i, x)} * p${i};`)}
            sum[c + ${x}u] = own;
          }`,
          )}
        }
      }

      ${each(
        rowsPerLane,
        (r) => /* wgsl */ `if (query[${r}] < params.queries) {
          // A query that sees no key has summed what is hidden, or nothing.
          let sees = end[${r}] > 0u && largest[${r}] > lowest;
          stats[row[${r}] * 3u] = select(0.0, largest[${r}], sees);
          stats[row[${r}] * 3u + 1u] = select(0.0, log(total[${r}]), sees);
          stats[row[${r}] * 3u + 2u] = select(0.0, f32(end[${r}]), sees);
          for (var c = 0u; c < params.width; c++) {
            y[start[${r}] + c] = select(0.0, sum[c][${r}] / total[${r}], sees);
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows: lanes * rowsPerLane };
}
