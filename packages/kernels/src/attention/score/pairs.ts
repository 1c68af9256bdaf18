import { each } from '../text.js';
import { keepFactors } from './dropped.js';
import { needed, type Value } from './graph.js';
import { type Form, loadText, operationText, types } from './operations.js';
import type { PairLayout } from './pair-layout.js';
import type { Score } from './score.js';

/** Where a value is computed: once per head, for the lane's rows, for each tile row, or for each pair. */
type Level = 'head' | 'lane' | 'tile' | 'pair';

/** WGSL (`Rows`) of the query statistics that the backward reads, for each of the lane's rows. */
export type RowStats = Record<'largest' | 'logSum' | 'delta', string>;

/**
 * WGSL of scores and their gradients for the pairs of one program; a value is emitted at the outermost level that it
 * is constant in. `i` counts the rows of a tile.
 *
 * Variables that the program declares before the text that reads them:
 *
 * | name         | type         | value                                                                          |
 * | ------------ | ------------ | ------------------------------------------------------------------------------ |
 * | `head`       | `u32`        | query head of the batch, `b · H + h`                                            |
 * | `lane_row`   | `RowIndices` | the lane's rows: queries in `[0, Tq)` or keys in `[0, Tk)`; may lie past the end |
 * | `tile_start` | `u32`        | first row of the tile on the other axis, a multiple of four                     |
 * | `s{i}`       | `Rows`, var  | products `q · k`, not scaled, of the lane's rows with tile row `i`               |
 * | `d{i}`       | `Rows`       | `dY Vᵀ` of the same pairs; backward only                                        |
 * | `p{i}`       | `Rows`, var  | attention weights; `drop` only                                                  |
 *
 * `Rows`, `RowIndices`, `RowInts` and `RowBools` are vectors (scalars for one row) with a component for each of the
 * lane's rows; `params`, `tables`, `lowest` and `drawn` come from `defineScored`.
 */
export interface Pairs {
  /** Emit after `head`: declares `b`, `h` (`i32`) and `head{id}`, the values that are constant in a head. */
  readonly headValues: string;
  /** Emit after `lane_row`: declares `lane_position` (`RowInts`) and `lane{id}`, the values of the lane's rows. */
  readonly laneValues: string;
  /** Emit after `tile_start`, in uniform control flow: declares `tile{id}_{n}`, the values of the tile's rows. */
  readonly tileValues: string;
  /** Replaces the product `s{i}` by the score, or by `lowest` where masked; declares `seen{i}` and `keep{i}`. */
  forward(i: number, inBounds: string): string;
  /**
   * Declares, from `s{i}` and `d{i}`: `p{i}`, the weight after dropout; `ds{i}`, the gradient of the score; and
   * `g{i}`, the gradient of the product.
   */
  backward(i: number, inBounds: string, stats: RowStats): string;
  /** Emit after `forward`: multiplies the weight `p{i}` by its dropout factor `keep{i}`, where there is dropout. */
  drop(i: number): string;
  /** WGSL (`f32`) of the score of the head's sink; undefined where there is none. */
  readonly sink: string | undefined;
  /** WGSL (`Rows`) of a wanted value: of pair `i` after its `forward` or `backward`, or of the lane's rows. */
  of(value: Value, i?: number): string;
  /** Whether a value depends on the rows of the tile. */
  variesInTile(value: Value): boolean;
}

/** The values that a forward computes for each pair. */
export const forwardValues = ({ score, visible, sink }: Score): Value[] =>
  [score, visible, sink].filter((value) => value !== undefined);

/** The values that a backward computes for each pair. */
export const backwardValues = ({ score, visible, slope }: Score): Value[] =>
  [score, visible, slope].filter((value) => value !== undefined);

/** Emits the WGSL for a program that computes the `wanted` values of each pair. */
export function pairsOf(score: Score, layout: PairLayout, wanted: readonly Value[]): Pairs {
  const { laneAxis, broadcast, count, rows } = layout;
  const tileAxis = laneAxis === 'q' ? 'k' : 'q';
  const values = needed(score.graph, wanted);
  const levels = new Map<Value, Level>();
  for (const value of values) levels.set(value, levelOf(value, laneAxis, levels));
  const at = (level: Level) => values.filter((v) => levels.get(v) === level && !isPlace(v));

  const place = (axis: 'q' | 'k', row: string, int: string) =>
    axis === 'q' ? `(${int}(${row}) + params.shift)` : `${int}(${row})`;
  const spread = (value: Value, text: string) => `${types.rows[value.type]}(${text})`;

  /** A value as it is read at a level, for tile row `i`; `offset` is set inside a broadcast's declaration. */
  const use = (value: Value, level: Level, i: number, offset?: string): string => {
    const form: Form = level === 'lane' || level === 'pair' ? 'rows' : 'one';
    const of = levels.get(value)!;
    if (of === 'lane') return value.op === laneAxis ? 'lane_position' : `lane${value.id}`;
    if (of === 'pair') return value.op === 'product' ? `s${i}` : `pair${value.id}_${i}`;
    const text = of === 'head' ? headText(value) : tileText(value, i, offset);
    return form === 'rows' ? spread(value, text) : text;
  };
  const headText = (value: Value) => (isPlace(value) ? value.text || value.op : `head${value.id}`);
  const tileText = (value: Value, i: number, offset?: string) => {
    if (value.op === tileAxis) {
      return place(tileAxis, `tile_start + ${offset ?? broadcast.index(i)}`, 'i32');
    }
    const name = `tile${value.id}`;
    return offset === undefined ? broadcast.read(name, i) : `${name}_${i}`;
  };
  const text = (value: Value, level: Level, i = 0, offset?: string): string => {
    const form: Form = level === 'lane' || level === 'pair' ? 'rows' : 'one';
    const args = value.args.map((arg) => use(arg, level, i, offset));
    if (value.op !== 'load') return operationText(value, form, args);
    if (form === 'one' || rows === 1) return loadText(value, args[0]!);
    return `${types.rows[value.type]}(${each(rows, (r) => loadText(value, `${args[0]}[${r}]`), ', ')})`;
  };

  const declared = (i: number) =>
    at('pair')
      .map((value) => `let pair${value.id}_${i} = ${text(value, 'pair', i)};`)
      .join('\n');
  const pair = (i: number, inBounds: string) => {
    const seen = score.visible
      ? `(${use(score.visible, 'pair', i)} & RowBools(${inBounds}))`
      : `RowBools(${inBounds})`;
    return `${declared(i)} let seen${i} = ${seen};`;
  };
  const keep = (i: number) => (score.dropout ? ` * keep${i}` : '');
  const draw = (i: number) => (score.dropout ? keepFactors(layout, i) : '');

  return {
    headValues: [
      'let b = i32(head / params.heads); let h = i32(head % params.heads);',
      ...at('head').map((value) => `let head${value.id} = ${text(value, 'head')};`),
    ].join('\n'),
    laneValues: [
      `let lane_position = ${place(laneAxis, 'lane_row', 'RowInts')};`,
      ...at('lane').map((value) => `let lane${value.id} = ${text(value, 'lane')};`),
    ].join('\n'),
    tileValues: at('tile')
      .map((value) =>
        broadcast.declare(`tile${value.id}`, count, (index, n) => text(value, 'tile', n, index)),
      )
      .join('\n'),
    forward: (i, inBounds) => `
      ${pair(i, inBounds)}
      s${i} = select(Rows(lowest), ${use(score.score, 'pair', i)}, seen${i});
      ${draw(i)}`,
    backward: (i, inBounds, { largest, logSum, delta }) => `
      ${pair(i, inBounds)}
      ${draw(i)}
      let w${i} = select(Rows(), exp(${use(score.score, 'pair', i)} - ${largest} - ${logSum}), seen${i});
      let p${i} = w${i}${keep(i)};
      let ds${i} = w${i} * (d${i}${keep(i)} - ${delta});
      let g${i} = select(Rows(), ds${i} * ${use(score.slope, 'pair', i)}, seen${i});`,
    drop: (i) => (score.dropout ? `p${i} *= keep${i};` : ''),
    sink: score.sink && headText(score.sink),
    of: (value, i) => use(value, i === undefined ? 'lane' : 'pair', i ?? 0),
    variesInTile: (value) => levels.get(value) === 'tile' || levels.get(value) === 'pair',
  };
}

/** The length of a pair's code: operations, weighted by the time that a driver takes to compile them. */
export function lengthOf(score: Score, { laneAxis }: PairLayout, wanted: readonly Value[]): number {
  const levels = new Map<Value, Level>();
  let length = score.dropout ? compileWeights.load : 0;
  for (const value of needed(score.graph, wanted)) {
    levels.set(value, levelOf(value, laneAxis, levels));
    if (levels.get(value) === 'pair' && !isPlace(value)) {
      length += compileWeights[value.op as keyof typeof compileWeights] ?? 1;
    }
  }
  return length;
}

const compileWeights = { load: 32, exp: 4, log: 4, tanh: 8, div: 2, mod: 8 };

/** Positions, parameters, literals and products are written where they are read, without a declaration. */
const isPlace = ({ op }: Value): boolean =>
  ['param', 'literal', 'b', 'h', 'q', 'k', 'product'].includes(op);

function levelOf(value: Value, laneAxis: 'q' | 'k', levels: Map<Value, Level>): Level {
  if (value.op === 'product') return 'pair';
  if (value.op === 'q' || value.op === 'k') return value.op === laneAxis ? 'lane' : 'tile';
  const of = value.args.map((arg) => levels.get(arg)!);
  const level = of.reduce(
    (x, y) => (x === 'head' || x === y ? y : y === 'head' ? x : 'pair'),
    'head',
  );
  // `subgroupBroadcast` takes no bool.
  return level === 'tile' && value.type === 'condition' ? 'pair' : level;
}
