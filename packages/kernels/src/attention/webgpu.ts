import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  type BoundScore,
  runForward,
  runKeyGradient,
  runQueryGradient,
  runRows,
  sizesOf,
} from './passes.js';
import type { Score } from './score/score.js';
import { withTables } from './score/tables.js';
import { tilingFor } from './tilings.js';

interface Arguments {
  /** `q k v`, the tables of the score, and in the backward `y stats dy`. */
  inputs: tf.TensorInfo[];
  backend: WebGPUBackend;
  attrs: { score: Score };
}

type Three = [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];

/** @returns the output `[B, H, Tq, Dv]` and the softmax statistics of each query, `[B, H, Tq, 2]` */
export function attentionKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const [q, k, v] = inputs as Three;
  const tiling = tilingFor(backend, 'forward', sizesOf(q, v));
  return withScore(backend, attrs.score, inputs.slice(3), (bound) => {
    const { y, stats } = runForward(backend, tiling, { q, k, v }, bound);
    return [y, stats];
  });
}

/** @returns dq, dk, dv and the statistics of each query, `[B, H, Tq, 4]`, which the gradients of tables read */
export function attentionGradientKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const [q, k, v] = inputs as Three;
  const [y, stats, dy] = inputs.slice(-3) as Three;
  const sizes = sizesOf(q, v);
  return withScore(backend, attrs.score, inputs.slice(3, -3), (bound) => {
    const rows = runRows(backend, { y, dy, stats });
    const given = { q, k, v, dy, rows };
    const forQueries = tilingFor(backend, 'queryGradient', sizes);
    const { dq } = runQueryGradient(backend, forQueries, given, bound);
    const forKeys = tilingFor(backend, 'keyGradient', sizes);
    const { dk, dv } = runKeyGradient(backend, forKeys, given, bound);
    return [dq, dk, dv, rows];
  });
}

/** Runs with a score's tables bound. */
export function withScore<T>(
  backend: WebGPUBackend,
  score: Score,
  tensors: readonly tf.TensorInfo[],
  run: (bound: BoundScore) => T,
): T {
  return withTables(backend, score.graph, tensors, ({ buffer, starts }) =>
    run({ score, tables: buffer, starts }),
  );
}
