import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import type { Mask } from './mask.js';
import type { Variant } from './programs.js';
import { rowsProgram } from './rows.js';
import { plainScore } from './score.js';
import { tilingOf } from './tilings.js';

/** Heads up to this width run fused. */
export const widestHead = 256;

interface Attributes {
  mask: Mask['kind'];
  scale: number;
}

interface ForwardArguments {
  inputs: { q: tf.TensorInfo; k: tf.TensorInfo; v: tf.TensorInfo; lengths?: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: Attributes;
}

/** @returns the output and what the backward needs of each row, `[B, H, Tq, 3]` */
export function attentionKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const { q, k, v, lengths } = inputs;
  const sizes = sizesOf(q, k);
  const { program, rows } = tilingOf(backend, sizes.width).forward(
    variantOf(sizes, lengths !== undefined),
  );
  const { y, stats } = dispatch(backend, program, {
    // Without lengths the program has no such input.
    inputs: { q, k, v, lengths: lengths ?? q },
    outputs: {
      y: { shape: q.shape, dtype: 'float32' },
      stats: { shape: [...q.shape.slice(0, 3), 3], dtype: 'float32' },
    },
    ...tiled(sizes, attrs, sizes.queries, sizes.batch * sizes.heads, rows),
  });
  return [y, stats];
}

interface GradientArguments {
  inputs: Record<'dy' | 'q' | 'k' | 'v' | 'y' | 'stats', tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: Attributes;
}

/** @returns dq, dk and dv */
export function attentionGradientKernel(args: GradientArguments): tf.TensorInfo[] {
  const { inputs, backend, attrs } = args;
  const { dy, q, k, v, y, stats } = inputs;
  const sizes = sizesOf(q, k);
  const count = sizes.batch * sizes.heads * sizes.queries;
  const { rows } = dispatch(backend, rowsProgram, {
    inputs: { y, dy, stats },
    outputs: { rows: { shape: [count, 4], dtype: 'float32' } },
    params: { rows: count, width: sizes.width },
    workgroups: spread(Math.ceil(count / 64)),
  });
  const variant = variantOf(sizes, false);
  const tiling = tilingOf(backend, sizes.width);
  const forQueries = tiling.queryGradient(variant);
  const { dq } = dispatch(backend, forQueries.program, {
    inputs: { q, k, v, dy, rows },
    outputs: { dq: { shape: q.shape, dtype: 'float32' } },
    ...tiled(sizes, attrs, sizes.queries, sizes.batch * sizes.heads, forQueries.rows),
  });
  const forKeys = tiling.keyGradient(variant);
  const { dk, dv } = dispatch(backend, forKeys.program, {
    inputs: { q, k, v, dy, rows },
    outputs: {
      dk: { shape: k.shape, dtype: 'float32' },
      dv: { shape: v.shape, dtype: 'float32' },
    },
    ...tiled(sizes, attrs, sizes.keys, sizes.batch * sizes.kvHeads, forKeys.rows),
  });
  backend.disposeData(rows.dataId);
  return [dq, dk, dv];
}

interface Sizes {
  batch: number;
  heads: number;
  kvHeads: number;
  queries: number;
  keys: number;
  width: number;
}

function sizesOf(q: tf.TensorInfo, k: tf.TensorInfo): Sizes {
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  return { batch, heads, queries, width, kvHeads: k.shape[1]!, keys: k.shape[2]! };
}

function variantOf({ width }: Sizes, padded: boolean): Variant {
  return { width, score: plainScore, padded };
}

/** Parameters and workgroups of a program that cuts each head's rows into tiles. */
function tiled(
  sizes: Sizes,
  { scale, mask }: Attributes,
  length: number,
  heads: number,
  rows: number,
) {
  const tiles = Math.ceil(length / rows);
  return {
    params: {
      tilesOfAll: tiles * heads,
      tiles,
      heads: sizes.heads,
      group: sizes.heads / sizes.kvHeads,
      queries: sizes.queries,
      keys: sizes.keys,
      width: sizes.width,
      scale,
      causal: mask === 'causal' ? 1 : 0,
    },
    workgroups: spread(tiles * heads),
  };
}
