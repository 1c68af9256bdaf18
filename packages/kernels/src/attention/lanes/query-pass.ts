import type { Variant } from '../programs.js';
import type { Value } from '../score/graph.js';
import { backwardValues } from '../score/pairs.js';
import { each } from '../text.js';
import type { LaneBroadcast } from './broadcast.js';
import {
  type LaneRows,
  laneArrays,
  laneRowIndices,
  laneValue,
  layoutOf,
  part,
  rowStats,
  vector,
} from './lane-rows.js';
import { type Tile, tileOf } from './tile.js';

/** WGSL of a backward pass in which each lane holds queries and visits, in tiles, all keys that they may attend to. */
export interface QueryPass {
  readonly tile: Tile;
  /** Declares the workgroup arrays `q_rows` and `dy_rows`, `[width, lanes]` of `Rows`. */
  readonly arrays: string;
  /** Emit after `head` and `first` (`u32`, the workgroup's first query): loads the lane's rows and statistics. */
  readonly load: string;
  /** A loop over tiles of keys; `body` reads the products `s{i}`, `d{i}` and the keys' offsets `k_row_{n}`, `v_row_{n}`. */
  overKeys(body: string): string;
}

/** @param more values of each pair that the program reads besides the gradient of the product */
export function queryPass(
  { widths, score, makesRows }: Variant,
  broadcast: LaneBroadcast,
  o: LaneRows,
  keys: number,
  more: readonly Value[] = [],
): QueryPass {
  const rows = broadcast.lanes * o.rows;
  const values = [...backwardValues(score), ...more];
  const bounds = { limit: 'stop', stats: () => rowStats };
  const tile = tileOf(score, layoutOf('q', o, broadcast, keys), values, bounds);
  const { pairs } = tile;
  const ofRows = (field: string) => vector(o, 'Rows', (r) => `stats${r}.${field}`);
  const read = /* wgsl */ `
    ${each(o.rows, (r) => `let stats${r} = rows[${part(o, 'row', r)}];`)}
    let largest = ${ofRows('x')};
    let log_sum = ${ofRows('y')};
    let delta = ${ofRows('z')};
  `;
  const made = /* wgsl */ `
    let largest = ${vector(o, 'Rows', (r) => `stats[2u * ${part(o, 'row', r)}]`)};
    let log_sum = ${vector(o, 'Rows', (r) => `stats[2u * ${part(o, 'row', r)} + 1u]`)};
    var delta = Rows();
  `;
  return {
    tile,
    arrays: `${tile.arrays} ${laneArrays(o, { q_rows: widths.key, dy_rows: widths.value })}`,
    load: /* wgsl */ `
      ${pairs.headValues}
      let kv = head / params.group;
      let k_first = k_base(kv);
      let v_first = v_base(kv);
      let lane_row = ${laneRowIndices(o, 'first')};
      ${pairs.laneValues}
      let own_row = min(lane_row, RowIndices(params.queries - 1u));
      let row = head * params.queries + own_row;
      let q_start = q_base(head) + own_row * params.qRow;
      let y_start = y_base(head) + own_row * params.yRow;
      ${makesRows ? made : read}
      let q0 = i32(first) + params.shift;
      let q1 = i32(min(first + ${rows}u, params.queries)) - 1 + params.shift;
      let stop = key_stop(b, h, q0, q1);
      for (var c = 0u; c < params.keyWidth; c++) {
        ${laneValue(o, 'q_rows', 'c')} = ${vector(o, 'Rows', (r) => `q[${part(o, 'q_start', r)} + c]`)};
      }
      for (var c = 0u; c < params.valueWidth; c++) {
        let dy_c = ${vector(o, 'Rows', (r) => `dy[${part(o, 'y_start', r)} + c]`)};
        ${laneValue(o, 'dy_rows', 'c')} = dy_c;
        ${makesRows ? `delta += ${vector(o, 'Rows', (r) => `y[${part(o, 'y_start', r)} + c]`)} * dy_c;` : ''}
      }
      ${
        makesRows
          ? each(
              o.rows,
              (r) => `if (${part(o, 'lane_row', r)} < params.queries) {
                rows[${part(o, 'row', r)}] =
                  vec4f(${part(o, 'largest', r)}, ${part(o, 'log_sum', r)}, ${part(o, 'delta', r)}, 0.0);
              }`,
            )
          : ''
      }`,
    overKeys: (body) => /* wgsl */ `
      for (var tile_start = 0u; tile_start < stop; tile_start += ${keys}u) {
        let k1 = i32(min(tile_start + ${keys}u, stop)) - 1;
        if (tile_hidden(b, h, q0, q1, i32(tile_start), k1)) { continue; }
        ${broadcast.declare('row', keys, (i) => `min(tile_start + ${i}, stop - 1u)`)}
        ${broadcast.declare('k_row', keys, (_, n) => `k_first + row_${n} * params.kRow`)}
        ${broadcast.declare('v_row', keys, (_, n) => `v_first + row_${n} * params.vRow`)}
        // S = Q Kᵀ and dP = dY Vᵀ, [rows, keys]
        ${each(keys, (i) => `var s${i} = Rows(); var d${i} = Rows();`)}
        for (var c = 0u; c < params.keyWidth; c++) {
          ${broadcast.declare('key', keys, (_, n) => `k[k_row_${n} + c]`)}
          let q_c = ${laneValue(o, 'q_rows', 'c')};
          ${each(keys, (i) => `s${i} += ${broadcast.read('key', i)} * q_c;`)}
        }
        for (var c = 0u; c < params.valueWidth; c++) {
          ${broadcast.declare('value', keys, (_, n) => `v[v_row_${n} + c]`)}
          let dy_c = ${laneValue(o, 'dy_rows', 'c')};
          ${each(keys, (i) => `d${i} += ${broadcast.read('value', i)} * dy_c;`)}
        }
        ${body}
      }`,
  };
}
