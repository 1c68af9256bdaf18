import type { Sizes } from '../passes.js';
import type { Graph, Value } from '../score/graph.js';
import type { Site } from '../score/score.js';

/** The variables of a row that are told apart by the cells that it adds to. */
export type Exclusive = Record<'b' | 'h' | 'q', boolean>;

/**
 * Whether queries of different batch rows, of different heads, and of different places never add to the same
 * cell of a table: where one of its indices is the variable itself, moved by a number, and never clamped.
 */
export function exclusiveIn(graph: Graph, sites: readonly Site[], sizes: Sizes): Exclusive {
  const { batch, heads, queries, keys } = sizes;
  const shift = keys - queries;
  const spans = { b: [0, batch - 1], h: [0, heads - 1], q: [shift, keys - 1] } as const;
  const numbers = new Map(graph.params.map(({ name, value }) => [`params.${name}`, value]));
  numbers.set('params.shift', shift);

  /** What a variable is moved by on an axis; undefined where the index is another one, or may be clamped. */
  const movedBy = (index: Value | undefined, name: 'b' | 'h' | 'q'): number | undefined => {
    const [least, last] = (index?.args ?? []) as [Value?, Value?];
    const moved = least && distance(least.args[0]!, name, numbers);
    const end = last && numbers.get(last.text);
    const [from, to] = spans[name];
    if (moved === undefined || end === undefined) return undefined;
    return from + moved >= 0 && to + moved <= end ? moved : undefined;
  };
  const ofSites = sites.map(({ place }) => indicesOf(place));
  const apart = (name: 'b' | 'h' | 'q') =>
    ofSites[0]!.some((index, axis) => {
      const moved = movedBy(index, name);
      return moved !== undefined && ofSites.every((other) => movedBy(other[axis], name) === moved);
    });
  return {
    b: batch === 1 || apart('b'),
    h: heads === 1 || apart('h'),
    q: queries === 1 || apart('q'),
  };
}

/** The clamped indices that a place was made of. */
function indicesOf(place: Value): Value[] {
  if (place.op !== 'add') return [place];
  const [rows, index] = place.args as [Value, Value];
  return [...indicesOf(rows.args[0]!), index];
}

/** `c` of an index `variable + c`. */
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
