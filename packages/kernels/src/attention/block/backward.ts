import {
  defineKeyGradient,
  defineQueryGradient,
  type KeyGradientProgram,
  type QueryGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import { each } from '../text.js';
import * as tiles from './tiles.js';

/** `dQ = dS K` in blocks of 32 queries by 32 keys. */
export function blockQueryGradient(variant: Variant): Tiled<QueryGradientProgram> {
  const query = { buffer: 'q', base: 'base', first: 'first', limit: 'params.queries' };
  const key = { buffer: 'k', base: 'kv', first: 'j', limit: 'stop' };
  const ofRows = (field: string) => `vec4f(${each(4, (r) => `stats${r}.${field}`, ', ')})`;
  const program = defineQueryGradient(
    variant,
    { enable: [], types: tiles.vectorTypes },
    /* wgsl */ `
    ${tiles.memory}
    ${tiles.entry}
      let head = task / params.tiles;
      let first = task % params.tiles * ${tiles.tile}u;
      let base = head * params.queries * params.width;
      let kv = head / params.group * params.keys * params.width;

      let query = first + down * 4u + vec4u(0u, 1u, 2u, 3u);
      let start = base + query * params.width;
      let row = head * params.queries + min(query, vec4u(params.queries - 1u));
      ${each(4, (r) => `let stats${r} = rows[row[${r}]];`)}
      let largest = ${ofRows('x')};
      let log_sum = ${ofRows('y')};
      let end = vec4u(${ofRows('z')});
      let delta = ${ofRows('w')};
      let last = head * params.queries + min(first + ${tiles.tile}u, params.queries) - 1u;
      let stop = u32(rows[last].z);

      ${tiles.outputs('sum')}
      for (var j = 0u; j < stop; j += ${tiles.tile}u) {
        ${tiles.rowProduct('s', query, key)}
        ${tiles.rowProduct('d', { ...query, buffer: 'dy' }, { ...key, buffer: 'v' })}
        ${each(
          4,
          (x) => /* wgsl */ `
            let key${x} = vec4u(j + across * 4u + ${x}u);
            let p${x} = exp(score(s${x}, head, query, key${x}) - largest - log_sum);
            let slope${x} = score_slope(s${x}, head, query, key${x});
            let g${x} = select(vec4f(), p${x} * (d${x} - delta) * slope${x}, key${x} < end);`,
        )}
        ${tiles.columnProduct('sum', 'g', key)}
      }
      ${tiles.store('dq', { index: 'query', limit: 'params.queries', start: 'start' }, (i) => `sum${i}`)}
    }
  `,
  );
  return { program, rows: tiles.tile, columns: tiles.outputColumns };
}

/** `dV = Pᵀ dY`, `dK = dSᵀ Q` in blocks of 32 keys by 32 queries. */
export function blockKeyGradient(variant: Variant): Tiled<KeyGradientProgram> {
  const key = { buffer: 'k', base: 'kv', first: 'first', limit: 'params.keys' };
  const query = { buffer: 'q', base: 'base', first: 'i', limit: 'params.queries' };
  const program = defineKeyGradient(
    variant,
    { enable: [], types: tiles.vectorTypes },
    /* wgsl */ `
    ${tiles.memory}
    ${tiles.entry}
      let kv_head = task / params.tiles;
      let first = task % params.tiles * ${tiles.tile}u;
      let kv = kv_head * params.keys * params.width;
      let key = first + down * 4u + vec4u(0u, 1u, 2u, 3u);
      let start = kv + key * params.width;

      ${tiles.outputs('dk_sum')}
      ${tiles.outputs('dv_sum')}
      for (var head = kv_head * params.group; head < (kv_head + 1u) * params.group; head++) {
        let base_row = head * params.queries;
        let base = base_row * params.width;
        // Where even the last query sees none of these keys, no query does.
        let seen = u32(rows[base_row + params.queries - 1u].z) > first;
        for (var i = select(params.queries, query_begin(first), seen); i < params.queries; i += ${tiles.tile}u) {
          ${tiles.rowProduct('s', key, query)}
          ${tiles.rowProduct('d', { ...key, buffer: 'v' }, { ...query, buffer: 'dy' })}
          ${each(
            4,
            (x) => /* wgsl */ `
              let query${x} = i + across * 4u + ${x}u;
              let stats${x} = rows[base_row + min(query${x}, params.queries - 1u)];
              let end${x} = select(0u, u32(stats${x}.z), query${x} < params.queries);
              let e${x} = exp(score(s${x}, head, vec4u(query${x}), key) - stats${x}.x - stats${x}.y);
              let p${x} = select(vec4f(), e${x}, key < vec4u(end${x}));
              let slope${x} = score_slope(s${x}, head, vec4u(query${x}), key);
              let g${x} = select(vec4f(), p${x} * (d${x} - stats${x}.w) * slope${x}, key < vec4u(end${x}));`,
          )}
          ${tiles.columnProduct('dv_sum', 'p', { ...query, buffer: 'dy' })}
          ${tiles.columnProduct('dk_sum', 'g', query)}
        }
      }
      ${tiles.store('dk', { index: 'key', limit: 'params.keys', start: 'start' }, (i) => `dk_sum${i}`)}
      ${tiles.store('dv', { index: 'key', limit: 'params.keys', start: 'start' }, (i) => `dv_sum${i}`)}
    }
  `,
  );
  return { program, rows: tiles.tile, columns: tiles.outputColumns };
}
