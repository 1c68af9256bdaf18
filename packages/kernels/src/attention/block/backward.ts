import {
  defineKeyGradient,
  defineQueryGradient,
  type KeyGradientProgram,
  keyGradientBuffers,
  type QueryGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import { backwardValues, pairsOf } from '../score/pairs.js';
import { each } from '../text.js';
import * as tiles from './tiles.js';

const keyWidth = 'params.keyWidth';
const valueWidth = 'params.valueWidth';

/** `dQ = dS K` in blocks of 32 queries by 32 keys. */
export function blockQueryGradient(variant: Variant): Tiled<QueryGradientProgram> {
  const rows = { first: 'first', limit: 'params.queries' };
  const query = { ...rows, ...tiles.operands.q };
  const cotangent = { ...rows, ...tiles.operands.dy };
  const tileRows = { first: 'tile_start', limit: 'stop' };
  const key = { ...tileRows, ...tiles.operands.k };
  const value = { ...tileRows, ...tiles.operands.v };
  const pairs = pairsOf(variant.score, tiles.layoutOf('q'), backwardValues(variant.score));
  const ofRows = (field: string) => `vec4f(${each(4, (r) => `stats${r}.${field}`, ', ')})`;
  const stats = { largest: 'largest', logSum: 'log_sum', delta: 'delta' };
  const read = /* wgsl */ `
    ${each(4, (r) => `let stats${r} = rows[row[${r}]];`)}
    let largest = ${ofRows('x')};
    let log_sum = ${ofRows('y')};
    let delta = ${ofRows('z')};
  `;
  const four = (text: (r: number) => string) => `vec4f(${each(4, text, ', ')})`;
  const made = /* wgsl */ `
    let largest = ${four((r) => `stats[2u * row[${r}]]`)};
    let log_sum = ${four((r) => `stats[2u * row[${r}] + 1u]`)};
    var delta = vec4f();
    let y_row = y_first + min(lane_row, vec4u(params.queries - 1u)) * params.yRow;
    for (var c = 0u; c < params.valueWidth; c++) {
      delta += ${four((r) => `y[y_row[${r}] + c]`)} * ${four((r) => `dy[y_row[${r}] + c]`)};
    }
    if (across == 0u && left_column == 0u) {
      ${each(
        4,
        (r) => `if (lane_row[${r}] < params.queries) {
          rows[row[${r}]] = vec4f(largest[${r}], log_sum[${r}], delta[${r}], 0.0);
        }`,
      )}
    }
  `;
  const program = defineQueryGradient(
    variant,
    { enable: [], types: tiles.vectorTypes },
    /* wgsl */ `
    ${tiles.memory}
    ${tiles.entry(keyWidth)}
      let head = task / params.tiles;
      ${pairs.headValues}
      let first = task % params.tiles * ${tiles.tile}u;
      let kv = head / params.group;
      let q_first = q_base(head);
      let y_first = y_base(head);
      let k_first = k_base(kv);
      let v_first = v_base(kv);

      let lane_row = ${tiles.laneRowIndices};
      ${pairs.laneValues}
      let start = q_first + lane_row * params.qRow;
      let row = head * params.queries + min(lane_row, vec4u(params.queries - 1u));
      ${variant.makesRows ? made : read}
      let q0 = i32(first) + params.shift;
      let q1 = i32(min(first + ${tiles.tile}u, params.queries)) - 1 + params.shift;
      let stop = key_stop(b, h, q0, q1);

      ${tiles.outputs('sum')}
      for (var tile_start = 0u; tile_start < stop; tile_start += ${tiles.tile}u) {
        let k1 = i32(min(tile_start + ${tiles.tile}u, stop)) - 1;
        if (tile_hidden(b, h, q0, q1, i32(tile_start), k1)) { continue; }
        // S = Q Kᵀ and dP = dY Vᵀ, [32, 32]
        ${tiles.rowProduct('s', query, key)}
        ${tiles.rowProduct('d', cotangent, value)}
        ${pairs.tileValues}
        ${each(4, (x) => pairs.backward(x, tiles.inBounds(x, 'stop'), stats))}
        // dQ += dS K, [32, 64 columns]
        ${tiles.columnProduct('sum', 'g', key)}
      }
      ${tiles.store('dq', { limit: 'params.queries', start: 'start', width: keyWidth }, (i) => `sum${i}`)}
    }
  `,
  );
  return { program, rows: tiles.tile, columns: tiles.outputColumns };
}

/** `dV = Pᵀ dY`, `dK = dSᵀ Q` in blocks of 32 keys by 32 queries. */
export function blockKeyGradient(variant: Variant): Tiled<KeyGradientProgram> {
  const rows = { first: 'first', limit: 'params.keys' };
  const key = { ...rows, ...tiles.operands.k };
  const value = { ...rows, ...tiles.operands.v };
  const tileRows = { first: 'tile_start', limit: 'params.queries' };
  const query = { ...tileRows, ...tiles.operands.q };
  const cotangent = { ...tileRows, ...tiles.operands.dy };
  const pairs = pairsOf(variant.score, tiles.layoutOf('k'), backwardValues(variant.score));
  const { dk, dv } = keyGradientBuffers(variant);
  const statsOf = (x: number) => {
    const ofRow = (field: string) => `vec4f(stats${x}.${field})`;
    return { largest: ofRow('x'), logSum: ofRow('y'), delta: ofRow('z') };
  };
  const program = defineKeyGradient(
    variant,
    { enable: [], types: tiles.vectorTypes },
    /* wgsl */ `
    ${tiles.memory}
    ${tiles.entry(`max(${keyWidth}, ${valueWidth})`)}
      let kv_head = task / params.tiles;
      let first = task % params.tiles * ${tiles.tile}u;
      let k_first = k_base(kv_head);
      let v_first = v_base(kv_head);
      let lane_row = ${tiles.laneRowIndices};
      let k_start = k_first + lane_row * params.kRow;
      let v_start = v_first + lane_row * params.vRow;
      let k0 = i32(first);
      let k1 = i32(min(first + ${tiles.tile}u, params.keys)) - 1;

      ${tiles.outputs('dk_sum')}
      ${tiles.outputs('dv_sum')}
      for (var head = kv_head * params.group; head < (kv_head + 1u) * params.group; head++) {
        ${pairs.headValues}
        ${pairs.laneValues}
        let base_row = head * params.queries;
        let q_first = q_base(head);
        let y_first = y_base(head);
        for (var tile_start = 0u; tile_start < params.queries; tile_start += ${tiles.tile}u) {
          let q0 = i32(tile_start) + params.shift;
          let q1 = i32(min(tile_start + ${tiles.tile}u, params.queries)) - 1 + params.shift;
          if (tile_hidden(b, h, q0, q1, k0, k1)) { continue; }
          // Sᵀ = K Qᵀ and dPᵀ = V dYᵀ, [32, 32]; rows are keys
          ${tiles.rowProduct('s', key, query)}
          ${tiles.rowProduct('d', value, cotangent)}
          ${pairs.tileValues}
          ${each(
            4,
            (x) => /* wgsl */ `
              let stats${x} = rows[base_row + min(tile_start + across * 4u + ${x}u, params.queries - 1u)];
              ${pairs.backward(x, tiles.inBounds(x, 'params.queries'), statsOf(x))}`,
          )}
          // dV += Pᵀ dY and dK += dSᵀ Q, [32, 64 columns]
          ${tiles.columnProduct('dv_sum', 'p', cotangent)}
          ${tiles.columnProduct('dk_sum', 'g', query)}
        }
      }
      ${tiles.store(dk, { limit: 'params.keys', start: 'k_start', width: keyWidth }, (i) => `dk_sum${i}`)}
      ${tiles.store(dv, { limit: 'params.keys', start: 'v_start', width: valueWidth }, (i) => `dv_sum${i}`)}
    }
  `,
  );
  return { program, rows: tiles.tile, columns: tiles.outputColumns };
}
