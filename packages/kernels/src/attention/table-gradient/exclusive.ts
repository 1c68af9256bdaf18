import type { Sizes } from '../passes.js';
import type { Graph, Value } from '../score/graph.js';
import type { TableLookup } from '../score/score.js';

/** For each variable: whether queries that differ in it always add to different elements of a table. */
export type Exclusive = Record<'b' | 'h' | 'q', boolean>;

/**
 * Finds the variables `b`, `h`, `q` that keep additions to a table apart: one of the table's indices is the variable
 * plus a constant, and never clamped.
 */
export function exclusiveIn(
  graph: Graph,
  lookups: readonly TableLookup[],
  sizes: Sizes,
): Exclusive {
  const { batch, heads, queries, keys } = sizes;
  const shift = keys - queries;
  const spans = { b: [0, batch - 1], h: [0, heads - 1], q: [shift, keys - 1] } as const;
  const numbers = new Map(graph.params.map(({ name, value }) => [`params.${name}`, value]));
  numbers.set('params.shift', shift);

  /** `c` where an index is `variable + c` and never clamped; else undefined. */
  const movedBy = (index: Value | undefined, name: 'b' | 'h' | 'q'): number | undefined => {
    const [least, last] = (index?.args ?? []) as [Value?, Value?];
    const moved = least && distance(least.args[0]!, name, numbers);
    const end = last && numbers.get(last.text);
    const [from, to] = spans[name];
    if (moved === undefined || end === undefined) return undefined;
    return from + moved >= 0 && to + moved <= end ? moved : undefined;
  };
  const elements = lookups.map(({ element }) => indicesOf(element));
  const apart = (name: 'b' | 'h' | 'q') =>
    elements[0]!.some((index, axis) => {
      const moved = movedBy(index, name);
      return moved !== undefined && elements.every((other) => movedBy(other[axis], name) === moved);
    });
  return {
    b: batch === 1 || apart('b'),
    h: heads === 1 || apart('h'),
    q: queries === 1 || apart('q'),
  };
}

/** The clamped index on each axis that an element's index was computed from. */
function indicesOf(element: Value): Value[] {
  if (element.op !== 'add') return [element];
  const [rows, index] = element.args as [Value, Value];
  return [...indicesOf(rows.args[0]!), index];
}

/** `c` where an index is `variable + c`, clamped or not; else undefined. */
function distance(index: Value, name: string, numbers: Map<string, number>): number | undefined {
  if (index.op === name) return 0;
  if (index.op !== 'add' && index.op !== 'sub') return undefined;
  const [x, y] = index.args as [Value, Value];
  const [base, by] = index.op === 'add' && numberOf(x, numbers) !== undefined ? [y, x] : [x, y];
  const moved = distance(base, name, numbers);
  const number = numberOf(by, numbers);
  if (moved === undefined || number === undefined) return undefined;
  return index.op === 'add' ? moved + number : moved - number;
}

const numberOf = ({ op, text }: Value, numbers: Map<string, number>): number | undefined =>
  op === 'param' ? numbers.get(text) : op === 'literal' ? Number(text) : undefined;
