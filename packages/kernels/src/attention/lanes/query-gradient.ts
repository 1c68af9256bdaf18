import {
  defineQueryGradient,
  type QueryGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import { each } from '../text.js';
import type { Broadcast } from './broadcast.js';
import { type Owned, own, ownArrays, part, vectorTypes } from './owned.js';
import { queriesOf } from './queries.js';

/** `dQ = dS K`, `dS = P ∘ (dY Vᵀ − D) · slope`: each lane owns queries, keys and values are broadcast. */
export function lanesQueryGradient(
  variant: Variant,
  broadcast: Broadcast,
  o: Owned,
  keys: number,
): Tiled<QueryGradientProgram> {
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const { tile, arrays, begin, meet } = queriesOf(variant, broadcast, o, keys);
  const program = defineQueryGradient(
    variant,
    { enable: broadcast.enable, types: vectorTypes(o) },
    /* wgsl */ `
    ${arrays}
    ${ownArrays(o, { sum: variant.widths.key })}
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
      ${begin}
      ${meet(/* wgsl */ `
        ${tile.backward}
        for (var c = 0u; c < params.keyWidth; c++) {
          ${broadcast.declare('key', keys, (_, n) => `k[k_row_${n} + c]`)}
          var sum_c = ${own(o, 'sum', 'c')};
          ${each(keys, (i) => `sum_c += ${broadcast.take('key', i)} * g${i};`)}
          ${own(o, 'sum', 'c')} = sum_c;
        }`)}
      ${each(
        o.rows,
        (r) => /* wgsl */ `if (${part(o, 'own_row', r)} < params.queries) {
          for (var c = 0u; c < params.keyWidth; c++) {
            dq[${part(o, 'q_start', r)} + c] = ${part(o, own(o, 'sum', 'c'), r)};
          }
        }`,
      )}
    }
  `,
  );
  return { program, rows };
}
