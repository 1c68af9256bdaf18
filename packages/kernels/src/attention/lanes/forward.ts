import { defineForward, type ForwardProgram, type Tiled, type Variant } from '../programs.js';
import { each } from '../text.js';
import type { Broadcast } from './broadcast.js';
import { type Owned, own, ownArrays, ownIndices, part, vector, vectorTypes } from './owned.js';

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
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const program = defineForward(
    variant,
    { enable: broadcast.enable, types: vectorTypes(o) },
    /* wgsl */ `
    ${ownArrays(o, 'mine', 'sum')}
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
      let length = length_of(head);
      let end = ${vector(o, 'RowIndices', (r) => `key_end(${part(o, 'query', r)}, length)`)};
      let stop = key_end(min(first + ${rows}u, params.queries) - 1u, length);

      for (var c = 0u; c < params.width; c++) {
        ${own(o, 'mine', 'c')} = ${vector(o, 'Rows', (r) => `q[${part(o, 'start', r)} + c]`)};
      }
      var largest = Rows(lowest);
      var total = Rows(0.0);
      for (var j = 0u; j < stop; j += ${keys}u) {
        ${broadcast.declare('row', keys, (i) => `kv + min(j + ${i}, stop - 1u) * params.width`)}
        ${each(keys, (i) => `var s${i} = Rows();`)}
        for (var c = 0u; c < params.width; c++) {
          ${broadcast.declare('key', keys, (_, n) => `k[row_${n} + c]`)}
          let mine_c = ${own(o, 'mine', 'c')};
          ${each(keys, (i) => `s${i} += ${broadcast.take('key', i)} * mine_c;`)}
        }
        var peak = largest;
        ${each(
          keys,
          (i) => /* wgsl */ `
            s${i} = score(s${i}, head, query, RowIndices(j + ${i}u));
            s${i} = select(Rows(lowest), s${i}, RowIndices(j + ${i}u) < end);
            peak = max(peak, s${i});`,
        )}
        let fade = exp(largest - peak);
        largest = peak;
        total *= fade;
        ${each(keys, (i) => `let p${i} = exp(s${i} - peak); total += p${i};`)}
        for (var c = 0u; c < params.width; c++) {
          ${broadcast.declare('value', keys, (_, n) => `v[row_${n} + c]`)}
          var sum_c = ${own(o, 'sum', 'c')} * fade;
          ${each(keys, (i) => `sum_c += ${broadcast.take('value', i)} * p${i};`)}
          ${own(o, 'sum', 'c')} = sum_c;
        }
      }

      // A query that sees no key has summed what is hidden, or nothing.
      let sees = largest > Rows(lowest);
      let scale = select(Rows(0.0), 1.0 / total, sees);
      let log_sum = select(Rows(0.0), log(total), sees);
      ${each(
        o.rows,
        (r) => /* wgsl */ `if (${part(o, 'query', r)} < params.queries) {
          let at = 3u * ${part(o, 'row', r)};
          stats[at] = ${part(o, 'largest', r)};
          stats[at + 1u] = ${part(o, 'log_sum', r)};
          stats[at + 2u] = f32(${part(o, 'end', r)});
          for (var c = 0u; c < params.width; c++) {
            let value = ${part(o, own(o, 'sum', 'c'), r)} * ${part(o, 'scale', r)};
            y[${part(o, 'start', r)} + c] = select(0.0, value, ${part(o, 'sees', r)});
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows };
}
