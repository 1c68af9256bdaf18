import { sizeOf } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { columnSums } from '../column-sums/webgpu.js';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import {
  type RowGroup,
  rowGroup,
  rowGroupExtensions,
  rowGroupKey,
  rowSum,
} from '../dispatch/row-group.js';

/** One group of lanes a row; keeps 1/rms for the backward pass. */
const forwardProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/RmsNorm',
    enable: rowGroupExtensions(group),
    inputs: { x: 'f32', weight: 'f32' },
    outputs: { y: 'f32', scale: 'f32' },
    params: { rows: 'u32', width: 'u32', epsilon: 'f32' },
    wgsl: /* wgsl */ `
      ${rowSum(group)}
      @compute @workgroup_size(${group.lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let row = workgroup.y * count.x + workgroup.x;
        if (row >= params.rows) { return; }
        let start = row * params.width;

        var squares = 0.0;
        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          squares += x[start + i] * x[start + i];
        }
        let mean_square = row_sum(squares, lane) / f32(params.width);
        let row_scale = inverseSqrt(mean_square + params.epsilon);

        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          y[start + i] = x[start + i] * row_scale * weight[i];
        }
        if (lane == 0u) { scale[row] = row_scale; }
      }
    `,
  }),
);

/** `dx = (g − x̂ · mean(g · x̂)) / rms`, where `g = dy · weight`. */
const inputGradientProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/RmsNormInputGradient',
    enable: rowGroupExtensions(group),
    inputs: { dy: 'f32', x: 'f32', weight: 'f32', scale: 'f32' },
    outputs: { dx: 'f32' },
    params: { rows: 'u32', width: 'u32' },
    wgsl: /* wgsl */ `
      ${rowSum(group)}
      @compute @workgroup_size(${group.lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let row = workgroup.y * count.x + workgroup.x;
        if (row >= params.rows) { return; }
        let start = row * params.width;

        var sum_gx = 0.0;
        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          sum_gx += dy[start + i] * weight[i] * x[start + i] * scale[row];
        }
        let mean_gx = row_sum(sum_gx, lane) / f32(params.width);

        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          let normalized = x[start + i] * scale[row];
          dx[start + i] = scale[row] * (dy[start + i] * weight[i] - normalized * mean_gx);
        }
      }
    `,
  }),
);

/** Sums of `dy · x̂` over slabs of rows; one lane a column and slab. */
const weightGradientProgram = defineProgram({
  label: 'headwise/RmsNormWeightGradient',
  inputs: { dy: 'f32', x: 'f32', scale: 'f32' },
  outputs: { dWeight: 'f32' },
  params: { rows: 'u32', width: 'u32', rowsPerSlab: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      let column = id.x;
      let slab = id.y;
      if (column >= params.width) { return; }
      let end = min((slab + 1u) * params.rowsPerSlab, params.rows);
      var sum = 0.0;
      for (var row = slab * params.rowsPerSlab; row < end; row++) {
        sum += dy[row * params.width + column] * x[row * params.width + column] * scale[row];
      }
      dWeight[slab * params.width + column] = sum;
    }
  `,
});

interface ForwardArguments {
  inputs: { x: tf.TensorInfo; weight: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { epsilon: number };
}

/** @returns y, and 1/rms of each row, `[rows]` */
export function rmsNormKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const { x, weight } = inputs;
  const width = weight.shape[0]!;
  const rows = sizeOf(x.shape) / width;
  const { y, scale } = dispatch(backend, forwardProgram(rowGroup(backend)), {
    inputs: { x, weight },
    outputs: {
      y: { shape: x.shape, dtype: 'float32' },
      scale: { shape: [rows], dtype: 'float32' },
    },
    params: { rows, width, epsilon: attrs.epsilon },
    workgroups: spread(rows),
  });
  return [y, scale];
}

interface GradientArguments {
  inputs: { dy: tf.TensorInfo; x: tf.TensorInfo; weight: tf.TensorInfo; scale: tf.TensorInfo };
  backend: WebGPUBackend;
}

/** @returns dx and dWeight */
export function rmsNormGradientKernel({ inputs, backend }: GradientArguments): tf.TensorInfo[] {
  const { dy, x, weight, scale } = inputs;
  const width = weight.shape[0]!;
  const rows = sizeOf(x.shape) / width;
  const { dx } = dispatch(backend, inputGradientProgram(rowGroup(backend)), {
    inputs: { dy, x, weight, scale },
    outputs: { dx: { shape: x.shape, dtype: 'float32' } },
    params: { rows, width },
    workgroups: spread(rows),
  });
  const [dWeight] = columnSums(backend, rows, width, (slabs, rowsPerSlab) => {
    const partial = dispatch(backend, weightGradientProgram, {
      inputs: { dy, x, scale },
      outputs: { dWeight: { shape: [slabs, width], dtype: 'float32' } },
      params: { rows, width, rowsPerSlab },
      workgroups: [Math.ceil(width / 64), slabs],
    });
    return [partial.dWeight];
  });
  return [dx, dWeight!];
}
