import { defineForward, type ForwardProgram, type Tiled, type Variant } from '../programs.js';
import { each } from '../text.js';
import * as tiles from './tiles.js';

/** Blocks of 32 queries by 32 keys in the memory of a workgroup, 4 × 4 scores in each lane's registers. */
export function blockForward(variant: Variant): Tiled<ForwardProgram> {
  const query = { buffer: 'q', base: 'base', first: 'first', limit: 'params.queries' };
  const key = { buffer: 'k', base: 'kv', first: 'j', limit: 'stop' };
  const program = defineForward(
    variant,
    { enable: [], types: tiles.vectorTypes },
    /* wgsl */ `
    ${tiles.memory}
    var<workgroup> partial: array<vec4f, 64>;
    ${tiles.entry}
      let head = task / params.tiles;
      let first = task % params.tiles * ${tiles.tile}u;
      let base = head * params.queries * params.width;
      let kv = head / params.group * params.keys * params.width;

      let query = first + down * 4u + vec4u(0u, 1u, 2u, 3u);
      let start = base + query * params.width;
      let length = length_of(head);
      let end = vec4u(
        key_end(query.x, length), key_end(query.y, length),
        key_end(query.z, length), key_end(query.w, length),
      );
      let stop = key_end(min(first + ${tiles.tile}u, params.queries) - 1u, length);

      ${tiles.outputs('sum')}
      var largest = vec4f(lowest);
      // Of the lane's own keys only, until the end.
      var total = vec4f();
      for (var j = 0u; j < stop; j += ${tiles.tile}u) {
        ${tiles.rowProduct('s', query, key)}
        ${each(
          4,
          (x) => /* wgsl */ `
            let key${x} = vec4u(j + across * 4u + ${x}u);
            s${x} = select(vec4f(lowest), score(s${x}, head, query, key${x}), key${x} < min(end, vec4u(stop)));`,
        )}
        partial[lane] = max(max(s0, s1), max(s2, s3));
        workgroupBarrier();
        var peak = largest;
        ${each(8, (x) => `peak = max(peak, partial[down * 8u + ${x}u]);`)}
        let fade = exp(largest - peak);
        largest = peak;
        ${each(4, (x) => `let p${x} = exp(s${x} - peak);`)}
        total = total * fade + p0 + p1 + p2 + p3;
        ${each(8, (i) => `sum${i} *= fade;`)}
        ${tiles.columnProduct('sum', 'p', { ...key, buffer: 'v' })}
      }

      workgroupBarrier();
      partial[lane] = total;
      workgroupBarrier();
      total = ${each(8, (x) => `partial[down * 8u + ${x}u]`, ' + ')};
      // A query that sees no key has summed what is hidden, or nothing.
      let sees = largest > vec4f(lowest);
      let scale = select(vec4f(), 1.0 / total, sees);
      let log_sum = select(vec4f(), log(total), sees);
      if (across == 0u && left_column == 0u) {
        ${each(
          4,
          (r) => /* wgsl */ `if (query[${r}] < params.queries) {
            let at = 3u * (head * params.queries + query[${r}]);
            stats[at] = largest[${r}];
            stats[at + 1u] = log_sum[${r}];
            stats[at + 2u] = f32(end[${r}]);
          }`,
        )}
      }
      ${tiles.store('y', { index: 'query', limit: 'params.queries', start: 'start' }, (i) => `select(vec4f(), sum${i} * scale, sees)`)}
    }
  `,
  );
  return { program, rows: tiles.tile, columns: tiles.outputColumns };
}
