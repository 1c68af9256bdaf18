import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import type { Tiled, Tiling, Variant } from './programs.js';
import { rowsProgram } from './rows.js';
import { plainScore } from './score.js';

export interface Attributes {
  mask: 'none' | 'causal';
  scale: number;
}

/** What all passes are about. */
export interface Sizes {
  batch: number;
  heads: number;
  kvHeads: number;
  queries: number;
  keys: number;
  width: number;
}

export function sizesOf(q: tf.TensorInfo, k: tf.TensorInfo): Sizes {
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  return { batch, heads, queries, width, kvHeads: k.shape[1]!, keys: k.shape[2]! };
}

type Tensors<N extends string> = Record<N, tf.TensorInfo>;

/** Runs the forward in one tiling; `stats` is `[B, H, Tq, 3]`. */
export function runForward(
  backend: WebGPUBackend,
  tiling: Tiling,
  inputs: Tensors<'q' | 'k' | 'v'> & { lengths?: tf.TensorInfo | undefined },
  attributes: Attributes,
): Tensors<'y' | 'stats'> {
  const { q, k, v, lengths } = inputs;
  const sizes = sizesOf(q, k);
  const tiled = tiling.forward(variantOf(sizes, lengths !== undefined));
  return dispatch(backend, tiled.program, {
    // Without lengths the program has no such input.
    inputs: { q, k, v, lengths: lengths ?? q },
    outputs: {
      y: { shape: q.shape, dtype: 'float32' },
      stats: { shape: [...q.shape.slice(0, 3), 3], dtype: 'float32' },
    },
    ...cut(tiled, sizes, attributes, sizes.queries, sizes.batch * sizes.heads),
  });
}

/** Runs the pre-pass of the backward: what it needs of each query, `[B · H · Tq, 4]`. */
export function runRows(
  backend: WebGPUBackend,
  inputs: Tensors<'y' | 'dy' | 'stats'>,
): tf.TensorInfo {
  const [batch, heads, queries, width] = inputs.y.shape as [number, number, number, number];
  const count = batch * heads * queries;
  return dispatch(backend, rowsProgram, {
    inputs,
    outputs: { rows: { shape: [count, 4], dtype: 'float32' } },
    params: { rows: count, width },
    workgroups: spread(Math.ceil(count / 64)),
  }).rows;
}

type Backward = Tensors<'q' | 'k' | 'v' | 'dy' | 'rows'>;

/** Runs the gradient of the queries in one tiling. */
export function runQueryGradient(
  backend: WebGPUBackend,
  tiling: Tiling,
  inputs: Backward,
  attributes: Attributes,
): Tensors<'dq'> {
  const sizes = sizesOf(inputs.q, inputs.k);
  const tiled = tiling.queryGradient(variantOf(sizes, false));
  return dispatch(backend, tiled.program, {
    inputs,
    outputs: { dq: { shape: inputs.q.shape, dtype: 'float32' } },
    ...cut(tiled, sizes, attributes, sizes.queries, sizes.batch * sizes.heads),
  });
}

/** Runs the gradients of keys and values in one tiling. */
export function runKeyGradient(
  backend: WebGPUBackend,
  tiling: Tiling,
  inputs: Backward,
  attributes: Attributes,
): Tensors<'dk' | 'dv'> {
  const sizes = sizesOf(inputs.q, inputs.k);
  const tiled = tiling.keyGradient(variantOf(sizes, false));
  return dispatch(backend, tiled.program, {
    inputs,
    outputs: {
      dk: { shape: inputs.k.shape, dtype: 'float32' },
      dv: { shape: inputs.v.shape, dtype: 'float32' },
    },
    ...cut(tiled, sizes, attributes, sizes.keys, sizes.batch * sizes.kvHeads),
  });
}

function variantOf({ width }: Sizes, padded: boolean): Variant {
  return { width, score: plainScore, padded };
}

/** Parameters and workgroups of a program that cuts each head's rows into tiles. */
function cut(
  { rows, columns = Number.POSITIVE_INFINITY }: Tiled<unknown>,
  sizes: Sizes,
  { scale, mask }: Attributes,
  length: number,
  heads: number,
) {
  const tiles = Math.ceil(length / rows);
  const tilesOfAll = tiles * heads * Math.max(1, Math.ceil(sizes.width / columns));
  return {
    params: {
      tilesOfAll,
      tiles,
      heads: sizes.heads,
      group: sizes.heads / sizes.kvHeads,
      queries: sizes.queries,
      keys: sizes.keys,
      width: sizes.width,
      scale,
      causal: mask === 'causal' ? 1 : 0,
    },
    workgroups: spread(tilesOfAll),
  };
}
