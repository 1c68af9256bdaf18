import { type Graph, needed, type Value } from './graph.js';

/** Places of which the least and largest value are kept, the size of the largest tiles. */
export const rangePlaces = 32;

/** A look-up of integers by the place of a query or a key, in a row that is the same for a whole head. */
export interface RangeLookup {
  readonly value: Value;
  readonly table: number;
  /** Its place, on the last axis of the table. */
  readonly axis: 'q' | 'k';
  /** The row of the table; undefined: it has one only. */
  readonly row: Value | undefined;
  /** The last index of the last axis. */
  readonly last: Value;
}

/** The look-ups in a condition whose least and largest value in a tile are kept for each 32 places. */
export function rangesOf(graph: Graph, condition: Value): RangeLookup[] {
  return needed(graph, [condition]).flatMap((value) => rangeLookup(value) ?? []);
}

/** Reads a look-up's place as `row · size + min(max(place, 0), last)`. */
export function rangeLookup(value: Value): RangeLookup | undefined {
  if (value.op !== 'load' || value.type !== 'int') return undefined;
  const [place] = value.args as [Value];
  const [rows, inside] = place.op === 'add' ? place.args : [undefined, place];
  if (inside?.op !== 'min' || (rows && rows.op !== 'mul')) return undefined;
  const [least, last] = inside.args as [Value, Value];
  const axis = least.op === 'max' ? least.args[0]!.op : undefined;
  if (axis !== 'q' && axis !== 'k') return undefined;
  const row = rows?.args[0];
  if (row && !isOfHead(row)) return undefined;
  return { value, table: Number(value.text), axis, row, last };
}

/** Whether a value is the same for all pairs of a head. */
export function isOfHead(value: Value): boolean {
  if (value.op === 'q' || value.op === 'k' || value.op === 'product') return false;
  return value.args.every(isOfHead);
}
