import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import type { Tiled, Tiling, Widths } from './programs.js';
import { rowsProgram } from './rows.js';
import { dropoutValues } from './score/dropped.js';
import { graphValues } from './score/graph.js';
import type { Score } from './score/score.js';

/** A score with its tables bound. */
export interface BoundScore {
  score: Score;
  /** All tables in one buffer; undefined where the score reads none. */
  tables?: tf.TensorInfo | undefined;
  /** `params.table0` …: the offset of each table in the buffer. */
  starts: Record<string, number>;
}

/** Sizes shared by the forward, query-gradient and key-gradient passes. */
export interface Sizes {
  batch: number;
  heads: number;
  kvHeads: number;
  queries: number;
  keys: number;
  widths: Widths;
}

export function sizesOf(q: tf.TensorInfo, v: tf.TensorInfo): Sizes {
  const [batch, heads, queries, key] = q.shape as [number, number, number, number];
  const [, kvHeads, keys, value] = v.shape as [number, number, number, number];
  return { batch, heads, queries, kvHeads, keys, widths: { key, value } };
}

type Tensors<N extends string> = Record<N, tf.TensorInfo>;

/** Runs the forward in one tiling; `stats` `[B, H, Tq, 2]` holds the largest score and `log Σ e^(s − largest)` of each query. */
export function runForward(
  backend: WebGPUBackend,
  tiling: Tiling,
  inputs: Tensors<'q' | 'k' | 'v'>,
  bound: BoundScore,
): Tensors<'y' | 'stats'> {
  const sizes = sizesOf(inputs.q, inputs.v);
  const { batch, heads, queries, widths } = sizes;
  const tiled = tiling.forward({ widths, score: bound.score });
  return dispatch(backend, tiled.program, {
    inputs: addTables(inputs, bound),
    outputs: {
      y: { shape: [batch, heads, queries, widths.value], dtype: 'float32' },
      stats: { shape: [batch, heads, queries, 2], dtype: 'float32' },
    },
    ...cut(tiled, sizes, bound, queries, batch * heads, widths.value),
  });
}

/** Runs the pre-pass of the backward: `stats` and `D = Σ y ∘ dy` of each query, `[B, H, Tq, 4]`. */
export function runRows(
  backend: WebGPUBackend,
  inputs: Tensors<'y' | 'dy' | 'stats'>,
): tf.TensorInfo {
  const [batch, heads, queries, width] = inputs.y.shape as [number, number, number, number];
  const count = batch * heads * queries;
  return dispatch(backend, rowsProgram, {
    inputs,
    outputs: { rows: { shape: [batch, heads, queries, 4], dtype: 'float32' } },
    params: { rows: count, width },
    workgroups: spread(Math.ceil(count / 64)),
  }).rows;
}

export type Backward = Tensors<'q' | 'k' | 'v' | 'dy' | 'rows'>;

/** Runs the gradient of the queries in one tiling. */
export function runQueryGradient(
  backend: WebGPUBackend,
  tiling: Tiling,
  inputs: Backward,
  bound: BoundScore,
): Tensors<'dq'> {
  const sizes = sizesOf(inputs.q, inputs.v);
  const { batch, heads, queries, widths } = sizes;
  const tiled = tiling.queryGradient({ widths, score: bound.score });
  return dispatch(backend, tiled.program, {
    inputs: addTables(inputs, bound),
    outputs: { dq: { shape: inputs.q.shape, dtype: 'float32' } },
    ...cut(tiled, sizes, bound, queries, batch * heads, widths.key),
  });
}

/** Runs the gradients of keys and values in one tiling. */
export function runKeyGradient(
  backend: WebGPUBackend,
  tiling: Tiling,
  inputs: Backward,
  bound: BoundScore,
): Tensors<'dk' | 'dv'> {
  const sizes = sizesOf(inputs.q, inputs.v);
  const { batch, kvHeads, keys, widths } = sizes;
  const tiled = tiling.keyGradient({ widths, score: bound.score });
  return dispatch(backend, tiled.program, {
    inputs: addTables(inputs, bound),
    outputs: {
      dk: { shape: inputs.k.shape, dtype: 'float32' },
      dv: { shape: inputs.v.shape, dtype: 'float32' },
    },
    ...cut(tiled, sizes, bound, keys, batch * kvHeads, Math.max(widths.key, widths.value)),
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
  sizes: Sizes,
  bound: BoundScore,
  length: number,
  heads: number,
  width: number,
) {
  const tiles = Math.ceil(length / rows);
  const tilesOfAll = tiles * heads * Math.max(1, Math.ceil(width / columns));
  return { params: paramsOf(sizes, bound, tiles, tilesOfAll), workgroups: spread(tilesOfAll) };
}

/** The values of `params`. */
export function paramsOf(
  { heads, kvHeads, queries, keys, widths }: Sizes,
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
    ...graphValues(score.graph),
    ...starts,
    ...(score.dropout ? dropoutValues(score.dropout) : {}),
  };
}
