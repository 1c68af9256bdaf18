import { defineForward, type ForwardProgram, type Tiled, type Variant } from '../programs.js';
import { forwardValues, pairsOf } from '../score/pairs.js';
import { each } from '../text.js';
import * as tiles from './tiles.js';

/** Forward attention in blocks of 32 queries by 32 keys in workgroup memory, 4 × 4 scores in each lane's registers. */
export function blockForward(variant: Variant): Tiled<ForwardProgram> {
  const rows = { first: 'first', limit: 'params.queries' };
  const tileRows = { first: 'tile_start', limit: 'stop' };
  const query = { ...rows, ...tiles.operands.q };
  const key = { ...tileRows, ...tiles.operands.k };
  const value = { ...tileRows, ...tiles.operands.v };
  const pairs = pairsOf(variant.score, tiles.layoutOf('q'), forwardValues(variant.score));
  const program = defineForward(
    variant,
    { enable: [], types: tiles.vectorTypes },
    /* wgsl */ `
    ${tiles.memory}
    var<workgroup> partial: array<vec4f, 64>;
    ${tiles.entry('params.valueWidth')}
      let head = task / params.tiles;
      ${pairs.headValues}
      let first = task % params.tiles * ${tiles.tile}u;
      let kv = head / params.group;
      let q_first = q_base(head);
      let k_first = k_base(kv);
      let v_first = v_base(kv);

      let lane_row = ${tiles.laneRowIndices};
      ${pairs.laneValues}
      let y_start = y_base(head) + lane_row * params.yRow;
      let q0 = i32(first) + params.shift;
      let q1 = i32(min(first + ${tiles.tile}u, params.queries)) - 1 + params.shift;
      let stop = key_stop(b, h, q0, q1);

      ${tiles.outputs('sum')}
      var largest = vec4f(${pairs.sink ?? 'lowest'});
      // Partial sums over the lane's own tile rows, reduced at the end.
      var total = ${pairs.sink ? 'vec4f(select(0.0, 1.0, across == 0u))' : 'vec4f()'};
      for (var tile_start = 0u; tile_start < stop; tile_start += ${tiles.tile}u) {
        let k1 = i32(min(tile_start + ${tiles.tile}u, stop)) - 1;
        if (tile_hidden(b, h, q0, q1, i32(tile_start), k1)) { continue; }
        // S = Q Kᵀ, [32, 32]
        ${tiles.rowProduct('s', query, key)}
        ${pairs.tileValues}
        ${each(4, (x) => pairs.forward(x, tiles.inBounds(x, 'stop')))}
        partial[lane] = max(max(s0, s1), max(s2, s3));
        workgroupBarrier();
        var peak = largest;
        ${each(8, (x) => `peak = max(peak, partial[down * 8u + ${x}u]);`)}
        let fade = exp(largest - peak);
        largest = peak;
        ${each(4, (x) => `var p${x} = exp(s${x} - peak);`)}
        total = total * fade + p0 + p1 + p2 + p3;
        ${each(4, (x) => pairs.drop(x))}
        ${each(8, (i) => `sum${i} *= fade;`)}
        // Y += P V, [32, 64 columns]
        ${tiles.columnProduct('sum', 'p', value)}
      }

      workgroupBarrier();
      partial[lane] = total;
      workgroupBarrier();
      total = ${each(8, (x) => `partial[down * 8u + ${x}u]`, ' + ')};
      // A query whose keys are all masked gives 0; NaN scores give NaN.
      let sees = !((largest <= vec4f(lowest)) & (total >= vec4f()));
      let scale = select(vec4f(), 1.0 / total, sees);
      let log_sum = select(vec4f(), log(total), sees);
      if (across == 0u && left_column == 0u) {
        ${each(
          4,
          (r) => /* wgsl */ `if (lane_row[${r}] < params.queries) {
            let at = 2u * (head * params.queries + lane_row[${r}]);
            stats[at] = largest[${r}];
            stats[at + 1u] = log_sum[${r}];
          }`,
        )}
      }
      ${tiles.store('y', { limit: 'params.queries', start: 'y_start', width: 'params.valueWidth' }, (i) => `select(vec4f(), sum${i} * scale, sees)`)}
    }
  `,
  );
  return { program, rows: tiles.tile, columns: tiles.outputColumns };
}
