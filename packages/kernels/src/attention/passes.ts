import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, type Output, spread } from '../dispatch/dispatch.js';
import { type HeadsPlace, type HeadsShape, headsShape, type Strides, stridesOf } from './heads.js';
import type { Tiled, Tiling, Widths } from './programs.js';
import { rowsProgram } from './rows.js';
import { dropoutValues } from './score/dropped.js';
import { graphValues } from './score/graph.js';
import type { Score } from './score/score.js';
import { strideValues } from './strides.js';

/** A score with its tables bound. */
export interface BoundScore {
  score: Score;
  /** All tables in one buffer; undefined where the score reads none. */
  tables?: tf.TensorInfo | undefined;
  /** `params.table0` …: the offset of each table in the buffer. */
  starts: Record<string, number>;
}

/** Sizes of attention. */
export interface Sizes {
  batch: number;
  heads: number;
  kvHeads: number;
  queries: number;
  keys: number;
  widths: Widths;
}

/** Sizes, and where the rows of each operand lie; what the passes of one attention share. */
export interface Layout extends Sizes {
  strides: Record<'q' | 'k' | 'v' | 'y', Strides>;
  /** The shape of the output. */
  output: number[];
}

/** How an attention lies whose operands have these shapes and places. */
export function layoutOf(
  shapes: Record<'q' | 'k' | 'v', readonly number[]>,
  places: Record<'q' | 'k' | 'v' | 'y', HeadsPlace>,
): Layout {
  const [batch, heads, queries, key] = headsShape(shapes.q, places.q);
  const [, kvHeads, keys, value] = headsShape(shapes.v, places.v);
  const output: HeadsShape =
    places.y.order === 'heads-first'
      ? [batch, heads, queries, value]
      : [batch, queries, heads, value];
  return {
    ...{ batch, heads, queries, kvHeads, keys, widths: { key, value }, output },
    strides: {
      q: stridesOf(shapes.q, places.q),
      k: stridesOf(shapes.k, places.k),
      v: stridesOf(shapes.v, places.v),
      y: stridesOf(output, places.y),
    },
  };
}

type Tensors<N extends string> = Record<N, tf.TensorInfo>;

/** Runs the forward in one tiling; `stats` `[B, H, Tq, 2]` holds the largest score and `log Σ e^(s − largest)` of each query. */
export function runForward(
  backend: WebGPUBackend,
  tiling: Tiling,
  inputs: Tensors<'q' | 'k' | 'v'>,
  layout: Layout,
  bound: BoundScore,
): Tensors<'y' | 'stats'> {
  const { batch, heads, queries, widths } = layout;
  const tiled = tiling.forward({ widths, score: bound.score });
  return dispatch(backend, tiled.program, {
    inputs: addTables(inputs, bound),
    outputs: {
      y: { shape: layout.output, dtype: 'float32' },
      stats: { shape: [batch, heads, queries, 2], dtype: 'float32' },
    },
    ...cut(tiled, layout, bound, queries, batch * heads, widths.value),
  });
}

/** What a backward is given. */
export type Saved = Tensors<'q' | 'k' | 'v' | 'dy' | 'y' | 'stats'>;

const rowsShape = ({ batch, heads, queries }: Sizes) => [batch, heads, queries, 4];

/** Makes the statistics of rows alone: `stats` and `D = Σ y ∘ dy` of each query, `[B, H, Tq, 4]`. */
export function runRows(
  backend: WebGPUBackend,
  inputs: Tensors<'y' | 'dy' | 'stats'>,
  layout: Layout,
): tf.TensorInfo {
  const { batch, heads, queries, widths, strides } = layout;
  const count = batch * heads * queries;
  return dispatch(backend, rowsProgram, {
    inputs,
    outputs: { rows: { shape: rowsShape(layout), dtype: 'float32' } },
    params: { rows: count, heads, queries, width: widths.value, ...strideValues('y', strides.y) },
    workgroups: spread(Math.ceil(count / 64)),
  }).rows;
}

export type Backward = Tensors<'q' | 'k' | 'v' | 'dy' | 'rows'>;

/**
 * Runs the gradient of the queries in one tiling; it is written to `dq`, where the queries lie in their tensor.
 *
 * @returns also the statistics of rows, which other gradients read
 */
export function runQueryGradient(
  backend: WebGPUBackend,
  tiling: Tiling,
  { y, stats, ...inputs }: Saved,
  layout: Layout,
  bound: BoundScore,
  dq: Output,
): Tensors<'dq' | 'rows'> {
  const { batch, heads, queries, widths } = layout;
  const makesRows = bound.tables === undefined;
  const rows = makesRows ? undefined : runRows(backend, { y, dy: inputs.dy, stats }, layout);
  const tiled = tiling.queryGradient({ widths, score: bound.score, makesRows });
  const given = rows ? { ...inputs, rows } : { ...inputs, y, stats };
  const outputs = rows ? { dq } : { dq, rows: { shape: rowsShape(layout), dtype: 'float32' } };
  const made = dispatch(backend, tiled.program, {
    inputs: addTables(given, bound) as Tensors<keyof Saved | 'rows' | 'tables'>,
    outputs: outputs as Record<'dq' | 'rows', Output>,
    ...cut(tiled, layout, bound, queries, batch * heads, widths.key),
  });
  return rows ? { dq: made.dq, rows } : made;
}

/** Runs the gradients of keys and values in one tiling; they are written to `dk` and `dv`, or both to `dkv`. */
export function runKeyGradient(
  backend: WebGPUBackend,
  tiling: Tiling,
  inputs: Backward,
  layout: Layout,
  bound: BoundScore,
  outputs: Partial<Record<'dk' | 'dv' | 'dkv', Output>>,
): Tensors<'dk' | 'dv' | 'dkv'> {
  const { batch, kvHeads, keys, widths } = layout;
  const joined = outputs.dkv !== undefined;
  const tiled = tiling.keyGradient({ widths, score: bound.score, joined });
  return dispatch(backend, tiled.program, {
    inputs: addTables(inputs, bound),
    outputs: outputs as Record<'dk' | 'dv' | 'dkv', Output>,
    ...cut(tiled, layout, bound, keys, batch * kvHeads, Math.max(widths.key, widths.value)),
  });
}

/** Adds the tables to a program's inputs; undefined where the program reads none. */
export const addTables = <I extends Record<string, tf.TensorInfo>>(
  inputs: I,
  { tables }: BoundScore,
): I & Tensors<'tables'> => ({ ...inputs, tables: tables! });

/** Parameters and workgroups of a program with one workgroup per tile of rows of each head. */
function cut(
  { rows, columns = Number.POSITIVE_INFINITY }: Tiled<unknown>,
  layout: Layout,
  bound: BoundScore,
  length: number,
  heads: number,
  width: number,
) {
  const tiles = Math.ceil(length / rows);
  const tilesOfAll = tiles * heads * Math.max(1, Math.ceil(width / columns));
  return { params: paramsOf(layout, bound, tiles, tilesOfAll), workgroups: spread(tilesOfAll) };
}

/** The values of `params`. */
export function paramsOf(
  { heads, kvHeads, queries, keys, widths, strides }: Layout,
  { score, starts }: BoundScore,
  tiles: number,
  tilesOfAll: number,
): Record<string, number> {
  return {
    tilesOfAll,
    tiles,
    heads,
    group: heads / kvHeads,
    queries,
    keys,
    keyWidth: widths.key,
    valueWidth: widths.value,
    shift: keys - queries,
    ...strideValues('q', strides.q),
    ...strideValues('k', strides.k),
    ...strideValues('v', strides.v),
    ...strideValues('y', strides.y),
    ...graphValues(score.graph),
    ...starts,
    ...(score.dropout ? dropoutValues(score.dropout) : {}),
  };
}
