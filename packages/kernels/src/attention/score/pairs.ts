import type { Others } from '../others.js';
import { each } from '../text.js';
import { keptWords } from './dropped.js';
import { needed, type Value } from './graph.js';
import { type Form, loadText, operationText, types } from './operations.js';
import type { Score } from './score.js';

/** How a tiling lays pairs out: each lane owns rows of one axis, and meets those of the other in turn. */
export interface Layout {
  /** The axis of the rows that a lane owns; `own_row` are their numbers, `RowIndices`. */
  own: 'q' | 'k';
  /** Components of `Rows`. */
  rows: number;
  /** Whether these are neighbours, the first a multiple of four. */
  adjacent: boolean;
  others: Others;
  /** Rows of the other axis that are met at once, of which `first_other` is the first, a multiple of four. */
  count: number;
}

/** Where a value is computed: once a head, for a lane's own rows, for each other row, or for each pair. */
type Level = 'head' | 'own' | 'other' | 'pair';

/** WGSL of what the backward knows of a query, for each of the lane's rows. */
export type RowStats = Record<'largest' | 'logSum' | 'delta', string>;

/** WGSL of pairs in one program: what is the same for many of them is computed once. */
export interface Pairs {
  /** Behind `head`: declares `b`, `h` and what follows from them. */
  readonly head: string;
  /** Behind `own_row`. */
  readonly own: string;
  /** Behind `first_other`, within uniform control flow. */
  readonly other: string;
  /** Makes `s{i}`, a product, a score; hidden pairs get `lowest`. */
  forward(i: number, met: string): string;
  /** Makes of `s{i}` and `d{i} = dY Vᵀ` the weight `p{i}`, and `g{i}`, the gradient of the product. */
  backward(i: number, met: string, stats: RowStats): string;
  /** Behind `forward`: drops weight `p{i}`, where weights are dropped. */
  drop(i: number): string;
  /** The score of the head's sink; undefined where there is none. */
  readonly sink: string | undefined;
  /** A wanted value for each of the lane's rows: of pair `i`, behind it, or behind `own`. */
  of(value: Value, i?: number): string;
  /** Whether a value depends on the other rows. */
  ofOthers(value: Value): boolean;
}

/** What a forward computes of each pair. */
export const forwardValues = ({ score, visible, sink }: Score): Value[] =>
  [score, visible, sink].filter((value) => value !== undefined);

/** What a backward computes of each pair. */
export const backwardValues = ({ score, visible, slope }: Score): Value[] =>
  [score, visible, slope].filter((value) => value !== undefined);

/** The WGSL of pairs for a program that computes some values of them. */
export function pairsOf(score: Score, layout: Layout, wanted: readonly Value[]): Pairs {
  const { own, others, count, rows } = layout;
  const other = own === 'q' ? 'k' : 'q';
  const values = needed(score.graph, wanted);
  const levels = new Map<Value, Level>();
  for (const value of values) levels.set(value, levelOf(value, own, levels));
  const at = (level: Level) => values.filter((v) => levels.get(v) === level && !isPlace(v));

  const place = (axis: 'q' | 'k', row: string, int: string) =>
    axis === 'q' ? `(${int}(${row}) + params.shift)` : `${int}(${row})`;
  const spread = (value: Value, text: string) => `${types.rows[value.type]}(${text})`;

  /** A value where it is used at a level; `i` counts the other rows, `lane` is set where a lane reads one. */
  const use = (value: Value, level: Level, i: number, lane?: string): string => {
    const form: Form = level === 'own' || level === 'pair' ? 'rows' : 'one';
    const of = levels.get(value)!;
    if (of === 'own') return value.op === own ? 'own_place' : `own${value.id}`;
    if (of === 'pair') return value.op === 'product' ? `s${i}` : `pair${value.id}_${i}`;
    const text = of === 'head' ? headText(value) : otherText(value, i, lane);
    return form === 'rows' ? spread(value, text) : text;
  };
  const headText = (value: Value) => (isPlace(value) ? value.text || value.op : `head${value.id}`);
  const otherText = (value: Value, i: number, lane?: string) => {
    if (value.op === other) {
      return place(other, `first_other + ${lane ?? others.index(i)}`, 'i32');
    }
    const name = `other${value.id}`;
    return lane === undefined ? others.take(name, i) : `${name}_${i}`;
  };
  const text = (value: Value, level: Level, i = 0, lane?: string): string => {
    const form: Form = level === 'own' || level === 'pair' ? 'rows' : 'one';
    const args = value.args.map((arg) => use(arg, level, i, lane));
    if (value.op !== 'load') return operationText(value, form, args);
    if (form === 'one' || rows === 1) return loadText(value, args[0]!);
    return `${types.rows[value.type]}(${each(rows, (r) => loadText(value, `${args[0]}[${r}]`), ', ')})`;
  };

  const declared = (i: number) =>
    at('pair')
      .map((value) => `let pair${value.id}_${i} = ${text(value, 'pair', i)};`)
      .join('\n');
  const pair = (i: number, met: string) => {
    const seen = score.visible
      ? `(${use(score.visible, 'pair', i)} & RowBools(${met}))`
      : `RowBools(${met})`;
    return `${declared(i)} let seen${i} = ${seen};`;
  };
  const kept = (i: number) => (score.dropout ? ` * kept${i}` : '');
  const draw = (i: number) => (score.dropout ? keptWords(layout, i) : '');

  return {
    head: [
      'let b = i32(head / params.heads); let h = i32(head % params.heads);',
      ...at('head').map((value) => `let head${value.id} = ${text(value, 'head')};`),
    ].join('\n'),
    own: [
      `let own_place = ${place(own, 'own_row', 'RowInts')};`,
      ...at('own').map((value) => `let own${value.id} = ${text(value, 'own')};`),
    ].join('\n'),
    other: at('other')
      .map((value) =>
        others.declare(`other${value.id}`, count, (index, n) => text(value, 'other', n, index)),
      )
      .join('\n'),
    forward: (i, met) => `
      ${pair(i, met)}
      s${i} = select(Rows(lowest), ${use(score.score, 'pair', i)}, seen${i});
      ${draw(i)}`,
    backward: (i, met, { largest, logSum, delta }) => `
      ${pair(i, met)}
      ${draw(i)}
      let w${i} = select(Rows(), exp(${use(score.score, 'pair', i)} - ${largest} - ${logSum}), seen${i});
      let p${i} = w${i}${kept(i)};
      let ds${i} = w${i} * (d${i}${kept(i)} - ${delta});
      let g${i} = select(Rows(), ds${i} * ${use(score.slope, 'pair', i)}, seen${i});`,
    drop: (i) => (score.dropout ? `p${i} *= kept${i};` : ''),
    sink: score.sink && headText(score.sink),
    of: (value, i) => use(value, i === undefined ? 'own' : 'pair', i ?? 0),
    ofOthers: (value) => levels.get(value) === 'other' || levels.get(value) === 'pair',
  };
}

/** Operations of a pair, counted by what they take a driver to compile. */
export function lengthOf(score: Score, { own }: Layout, wanted: readonly Value[]): number {
  const levels = new Map<Value, Level>();
  let length = score.dropout ? longOnes.load : 0;
  for (const value of needed(score.graph, wanted)) {
    levels.set(value, levelOf(value, own, levels));
    if (levels.get(value) === 'pair' && !isPlace(value)) {
      length += longOnes[value.op as keyof typeof longOnes] ?? 1;
    }
  }
  return length;
}

const longOnes = { load: 32, exp: 4, log: 4, tanh: 8, div: 2, mod: 8 };

/** Places, parameters and literals are written where they are used. */
const isPlace = ({ op }: Value): boolean =>
  ['param', 'literal', 'b', 'h', 'q', 'k', 'product'].includes(op);

function levelOf(value: Value, own: 'q' | 'k', levels: Map<Value, Level>): Level {
  if (value.op === 'product') return 'pair';
  if (value.op === 'q' || value.op === 'k') return value.op === own ? 'own' : 'other';
  const of = value.args.map((arg) => levels.get(arg)!);
  const level = of.reduce(
    (x, y) => (x === 'head' || x === y ? y : y === 'head' ? x : 'pair'),
    'head',
  );
  // Truth values cannot be broadcast among lanes.
  return level === 'other' && value.type === 'condition' ? 'pair' : level;
}
