import type { Variant } from '../programs.js';
import type { Value } from '../score/graph.js';
import { backwardValues } from '../score/pairs.js';
import { each } from '../text.js';
import type { Broadcast } from './broadcast.js';
import {
  layoutOf,
  type Owned,
  own,
  ownArrays,
  ownIndices,
  part,
  rowStats,
  vector,
} from './owned.js';
import { type Tile, tileOf } from './tile.js';

/** WGSL of a backward pass in which each lane owns queries and meets all keys that these see. */
export interface Queries {
  readonly tile: Tile;
  /** Declares the arrays of the lanes' rows. */
  readonly arrays: string;
  /** Behind `head` and `first`: reads the lane's rows. */
  readonly begin: string;
  /** Meets the keys; `body` is what to do with the products `s0` … and `d0` … of the keys `k_row_0` … */
  meet(body: string): string;
}

/** @param more values of each pair that the program needs besides the gradient of the product */
export function queriesOf(
  { widths, score }: Variant,
  broadcast: Broadcast,
  o: Owned,
  keys: number,
  more: readonly Value[] = [],
): Queries {
  const rows = broadcast.lanes * o.rows;
  const values = [...backwardValues(score), ...more];
  const met = { limit: 'stop', stats: () => rowStats };
  const tile = tileOf(score, layoutOf('q', o, broadcast, keys), values, met);
  const { pairs } = tile;
  const ofRows = (field: string) => vector(o, 'Rows', (r) => `stats${r}.${field}`);
  return {
    tile,
    arrays: `${tile.arrays} ${ownArrays(o, { mine: widths.key, dy_mine: widths.value })}`,
    begin: /* wgsl */ `
      ${pairs.head}
      let kv = head / params.group * params.keys;
      let own_row = ${ownIndices(o, 'first')};
      ${pairs.own}
      let row = head * params.queries + min(own_row, RowIndices(params.queries - 1u));
      let q_start = row * params.keyWidth;
      let y_start = row * params.valueWidth;
      ${each(o.rows, (r) => `let stats${r} = rows[${part(o, 'row', r)}];`)}
      let largest = ${ofRows('x')};
      let log_sum = ${ofRows('y')};
      let delta = ${ofRows('z')};
      let q0 = i32(first) + params.shift;
      let q1 = i32(min(first + ${rows}u, params.queries)) - 1 + params.shift;
      let stop = key_stop(b, h, q0, q1);
      for (var c = 0u; c < params.keyWidth; c++) {
        ${own(o, 'mine', 'c')} = ${vector(o, 'Rows', (r) => `q[${part(o, 'q_start', r)} + c]`)};
      }
      for (var c = 0u; c < params.valueWidth; c++) {
        ${own(o, 'dy_mine', 'c')} = ${vector(o, 'Rows', (r) => `dy[${part(o, 'y_start', r)} + c]`)};
      }`,
    meet: (body) => /* wgsl */ `
      for (var first_other = 0u; first_other < stop; first_other += ${keys}u) {
        let k1 = i32(min(first_other + ${keys}u, stop)) - 1;
        if (tile_hidden(b, h, q0, q1, i32(first_other), k1)) { continue; }
        ${broadcast.declare('row', keys, (i) => `kv + min(first_other + ${i}, stop - 1u)`)}
        ${broadcast.declare('k_row', keys, (_, n) => `row_${n} * params.keyWidth`)}
        ${broadcast.declare('v_row', keys, (_, n) => `row_${n} * params.valueWidth`)}
        ${each(keys, (i) => `var s${i} = Rows(); var d${i} = Rows();`)}
        for (var c = 0u; c < params.keyWidth; c++) {
          ${broadcast.declare('key', keys, (_, n) => `k[k_row_${n} + c]`)}
          let mine_c = ${own(o, 'mine', 'c')};
          ${each(keys, (i) => `s${i} += ${broadcast.take('key', i)} * mine_c;`)}
        }
        for (var c = 0u; c < params.valueWidth; c++) {
          ${broadcast.declare('value', keys, (_, n) => `v[v_row_${n} + c]`)}
          let dy_c = ${own(o, 'dy_mine', 'c')};
          ${each(keys, (i) => `d${i} += ${broadcast.take('value', i)} * dy_c;`)}
        }
        ${body}
      }`,
  };
}
