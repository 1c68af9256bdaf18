import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { keyGradientProgram, queryGradientProgram, scoresProgram, side } from './programs.js';
import type { AdditiveActivation } from './reference.js';

type Tensors<N extends string> = Record<N, tf.TensorInfo>;

interface Arguments<N extends string> {
  inputs: Tensors<N>;
  backend: WebGPUBackend;
  attrs: { activation: AdditiveActivation };
}

function sizesOf({ q, k }: Tensors<'q' | 'k'>) {
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  const [, kvHeads, keys] = k.shape as [number, number, number];
  const params = { heads, group: heads / kvHeads, queries, keys, width };
  return { params, all: batch * heads, allKv: batch * kvHeads };
}

const tiles = (count: number) => Math.ceil(count / side);
/** Heads beyond what a dimension of a dispatch may be are gone through in turn. */
const most = 65_535;

/** @returns the scores, `[B, H, Tq, Tk]` */
export function additiveScoresKernel({
  inputs,
  backend,
  attrs,
}: Arguments<'q' | 'k' | 'w'>): tf.TensorInfo[] {
  const { params, all } = sizesOf(inputs);
  const { queries, keys } = params;
  const shape = [...inputs.q.shape.slice(0, 3), keys];
  const { s } = dispatch(backend, scoresProgram(attrs.activation), {
    inputs,
    outputs: { s: { shape, dtype: 'float32' } },
    params: { ...params, all },
    workgroups: [tiles(keys), tiles(queries), Math.min(all, most)],
  });
  return [s];
}

/** @returns dq, dk, and of each query its part of dw, `[B, H, Tq, A]` */
export function additiveScoresGradientKernel({
  inputs,
  backend,
  attrs,
}: Arguments<'q' | 'k' | 'w' | 'ds'>): tf.TensorInfo[] {
  const { params, all, allKv } = sizesOf(inputs);
  const { queries, keys, width } = params;
  const like = ({ shape }: tf.TensorInfo) => ({ shape, dtype: 'float32' }) as const;
  const { dq, dw } = dispatch(backend, queryGradientProgram(attrs.activation), {
    inputs,
    outputs: { dq: like(inputs.q), dw: like(inputs.q) },
    params: { ...params, all },
    workgroups: [tiles(width), tiles(queries), Math.min(all, most)],
  });
  const { dk } = dispatch(backend, keyGradientProgram(attrs.activation), {
    inputs,
    outputs: { dk: like(inputs.k) },
    params: { ...params, all: allKv },
    workgroups: [tiles(width), tiles(keys), Math.min(allKv, most)],
  });
  return [dq, dk, dw];
}
