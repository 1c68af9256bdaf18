import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  type Attributes,
  runForward,
  runKeyGradient,
  runQueryGradient,
  runRows,
  sizesOf,
} from './passes.js';
import { tilingFor } from './tilings.js';

/** Heads up to this width run fused. */
export const widestHead = 256;

interface ForwardArguments {
  inputs: { q: tf.TensorInfo; k: tf.TensorInfo; v: tf.TensorInfo; lengths?: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: Attributes;
}

/** @returns the output and what the backward needs of each row, `[B, H, Tq, 3]` */
export function attentionKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const tiling = tilingFor(backend, 'forward', sizesOf(inputs.q, inputs.k));
  const { y, stats } = runForward(backend, tiling, inputs, attrs);
  return [y, stats];
}

interface GradientArguments {
  inputs: Record<'dy' | 'q' | 'k' | 'v' | 'y' | 'stats', tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: Attributes;
}

/** @returns dq, dk and dv */
export function attentionGradientKernel(args: GradientArguments): tf.TensorInfo[] {
  const { backend, attrs } = args;
  const { dy, q, k, v, y, stats } = args.inputs;
  const sizes = sizesOf(q, k);
  const rows = runRows(backend, { y, dy, stats });
  const inputs = { q, k, v, dy, rows };
  const forQueries = tilingFor(backend, 'queryGradient', sizes);
  const { dq } = runQueryGradient(backend, forQueries, inputs, attrs);
  const forKeys = tilingFor(backend, 'keyGradient', sizes);
  const { dk, dv } = runKeyGradient(backend, forKeys, inputs, attrs);
  backend.disposeData(rows.dataId);
  return [dq, dk, dv];
}
