import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import {
  type RowGroup,
  rowGroup,
  rowGroupExtensions,
  rowGroupKey,
  rowSum,
} from '../dispatch/row-group.js';

/** Values that one group of lanes adds up. */
const perSum = 4096;

/** The number of partial sums over some values. */
export const sumsOf = (values: number): number => Math.ceil(values / perSum);

/** Sums of squares of runs of values; one group of lanes a run. */
const squareSumsProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/SquareSums',
    enable: rowGroupExtensions(group),
    inputs: { values: 'f32' },
    outputs: { sums: 'f32' },
    params: { size: 'u32', place: 'u32', factor: 'f32' },
    wgsl: /* wgsl */ `
      ${rowSum(group)}
      @compute @workgroup_size(${group.lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let run = workgroup.y * count.x + workgroup.x;
        let start = run * ${perSum}u;
        if (start >= params.size) { return; }
        let end = min(start + ${perSum}u, params.size);
        var sum = 0.0;
        for (var i = start + lane; i < end; i += ${group.lanes}u) {
          let value = values[i] * params.factor;
          sum += value * value;
        }
        sum = row_sum(sum, lane);
        if (lane == 0u) { sums[params.place + run] = sum; }
      }
    `,
  }),
);

/** The norm from the sums of squares, and the scale that clips it; one group of lanes. */
const clipProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/Clip',
    enable: rowGroupExtensions(group),
    inputs: { sums: 'f32' },
    outputs: { norm: 'f32', scale: 'f32' },
    params: { size: 'u32', maxNorm: 'f32', clips: 'u32', factor: 'f32' },
    wgsl: /* wgsl */ `
      ${rowSum(group)}
      @compute @workgroup_size(${group.lanes})
      fn main(@builtin(local_invocation_index) lane: u32) {
        var sum = 0.0;
        for (var i = lane; i < params.size; i += ${group.lanes}u) { sum += sums[i]; }
        let length = sqrt(row_sum(sum, lane));
        if (lane == 0u) {
          norm[0] = length;
          let clip = min(1.0, params.maxNorm / (length + 1e-6));
          scale[0] = params.factor * select(1.0, clip, params.clips == 1u);
        }
      }
    `,
  }),
);

interface SumsArguments {
  inputs: { values: tf.TensorInfo; sums: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { place: number; factor: number };
}

/** Writes the sums of squares of some values, each multiplied by the factor first, into `sums`, from `place` on; makes no output. */
export function squareSumsKernel({ inputs, backend, attrs }: SumsArguments): tf.TensorInfo[] {
  const { values, sums } = inputs;
  const size = values.shape[0]!;
  dispatch(backend, squareSumsProgram(rowGroup(backend)), {
    inputs: { values },
    outputs: { sums },
    params: { size, ...attrs },
    workgroups: spread(sumsOf(size)),
  });
  return [];
}

interface ClipArguments {
  inputs: { sums: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { maxNorm: number; factor: number };
}

/** @returns the norm and the scale, scalars */
export function clipKernel({
  inputs,
  backend,
  attrs: { maxNorm, factor },
}: ClipArguments): tf.TensorInfo[] {
  const clips = Number.isFinite(maxNorm);
  const { norm, scale } = dispatch(backend, clipProgram(rowGroup(backend)), {
    inputs,
    outputs: { norm: { shape: [], dtype: 'float32' }, scale: { shape: [], dtype: 'float32' } },
    params: {
      size: inputs.sums.shape[0]!,
      maxNorm: clips ? maxNorm : 0,
      clips: clips ? 1 : 0,
      factor,
    },
    workgroups: [1],
  });
  return [norm, scale];
}
