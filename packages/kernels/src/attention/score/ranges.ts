import { type Graph, needed, type Value } from './graph.js';

/** Neighbouring elements with one stored minimum and maximum: the size of the largest tile. */
export const rangePlaces = 32;

/** A look-up of integers by the position of a query or a key, in a row that is constant in a head. */
export interface RangeLookup {
  readonly value: Value;
  readonly table: number;
  /** The position that indexes the last axis of the table. */
  readonly axis: 'q' | 'k';
  /** The row of the table; undefined: the table has one row. */
  readonly row: Value | undefined;
  /** The last index of the last axis. */
  readonly last: Value;
}

/** The look-ups in a condition whose range over a tile is read from stored minima and maxima. */
export function rangesOf(graph: Graph, condition: Value): RangeLookup[] {
  return needed(graph, [condition]).flatMap((value) => rangeLookup(value) ?? []);
}

/** Matches a look-up whose element is `row · size + min(max(position, 0), last)`. */
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

/** Whether a value is constant in a head. */
export function isOfHead(value: Value): boolean {
  if (value.op === 'q' || value.op === 'k' || value.op === 'product') return false;
  return value.args.every(isOfHead);
}
