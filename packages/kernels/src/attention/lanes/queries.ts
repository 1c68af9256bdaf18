import type { Variant } from '../programs.js';
import { backwardValues, type Pairs, pairsOf } from '../score/pairs.js';
import { each } from '../text.js';
import type { Broadcast } from './broadcast.js';
import { layoutOf, type Owned, own, ownArrays, ownIndices, part, vector } from './owned.js';

/** WGSL of a backward pass in which each lane owns queries and meets all keys that these see. */
export interface Queries {
  readonly pairs: Pairs;
  /** Declares the arrays of the lanes' rows. */
  readonly arrays: string;
  /** Behind `head` and `first`: reads the lane's rows. */
  readonly begin: string;
  /** Meets the keys; `tile` is what to do with `g0`, `g1` … of the keys `k_row_0` … */
  meet(tile: string): string;
}

export function queriesOf(
  { widths, score }: Variant,
  broadcast: Broadcast,
  o: Owned,
  keys: number,
): Queries {
  const rows = broadcast.lanes * o.rows;
  const pairs = pairsOf(score, layoutOf('q', o, broadcast, keys), backwardValues(score));
  const ofRows = (field: string) => vector(o, 'Rows', (r) => `stats${r}.${field}`);
  const stats = { largest: 'largest', logSum: 'log_sum', delta: 'delta' };
  return {
    pairs,
    arrays: ownArrays(o, { mine: widths.key, dy_mine: widths.value }),
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
    meet: (tile) => /* wgsl */ `
      for (var first_other = 0u; first_other < stop; first_other += ${keys}u) {
        let k1 = i32(min(first_other + ${keys}u, stop)) - 1;
        if (tile_hidden(b, h, q0, q1, i32(first_other), k1)) { continue; }
        ${broadcast.declare('row', keys, (i) => `kv + min(first_other + ${i}, stop - 1u)`)}
        ${broadcast.declare('k_row', keys, (_, n) => `row_${n} * params.keyWidth`)}
        ${broadcast.declare('v_row', keys, (_, n) => `row_${n} * params.valueWidth`)}
        ${pairs.other}
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
        ${each(keys, (i) => pairs.backward(i, `first_other + ${i}u < stop`, stats))}
        ${tile}
      }`,
  };
}
