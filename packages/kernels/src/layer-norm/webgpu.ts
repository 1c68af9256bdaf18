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

/** One group of lanes a row; keeps the mean, less the row's first value, and 1/σ for the backward. */
const forwardProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/LayerNorm',
    enable: rowGroupExtensions(group),
    inputs: { x: 'f32', weight: 'f32', bias: 'f32' },
    outputs: { y: 'f32', stats: 'f32' },
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
        let width = f32(params.width);

        // Seen from the row's first value, so that a large offset costs no digits.
        let shift = x[start];
        var sum = 0.0;
        for (var i = lane; i < params.width; i += ${group.lanes}u) { sum += x[start + i] - shift; }
        let mean = row_sum(sum, lane) / width;

        var squares = 0.0;
        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          let centered = (x[start + i] - shift) - mean;
          squares += centered * centered;
        }
        let scale = inverseSqrt(row_sum(squares, lane) / width + params.epsilon);

        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          y[start + i] = ((x[start + i] - shift) - mean) * scale * weight[i] + bias[i];
        }
        if (lane == 0u) {
          stats[2u * row] = mean;
          stats[2u * row + 1u] = scale;
        }
      }
    `,
  }),
);

/** `dx = (g − mean(g) − x̂ · mean(g · x̂)) / σ`, where `g = dy · weight`. */
const inputGradientProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/LayerNormInputGradient',
    enable: rowGroupExtensions(group),
    inputs: { dy: 'f32', x: 'f32', weight: 'f32', stats: 'f32' },
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
        let shift = x[start];
        let mean = stats[2u * row];
        let scale = stats[2u * row + 1u];

        var sum_g = 0.0;
        var sum_gx = 0.0;
        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          let g = dy[start + i] * weight[i];
          sum_g += g;
          sum_gx += g * ((x[start + i] - shift) - mean) * scale;
        }
        let mean_g = row_sum(sum_g, lane) / f32(params.width);
        let mean_gx = row_sum(sum_gx, lane) / f32(params.width);

        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          let normalized = ((x[start + i] - shift) - mean) * scale;
          dx[start + i] = scale * (dy[start + i] * weight[i] - mean_g - normalized * mean_gx);
        }
      }
    `,
  }),
);

/** Sums of `dy · x̂` and of `dy` over slabs of rows; one lane a column and slab. */
const weightGradientProgram = defineProgram({
  label: 'headwise/LayerNormWeightGradient',
  inputs: { dy: 'f32', x: 'f32', stats: 'f32' },
  outputs: { dWeight: 'f32', dBias: 'f32' },
  params: { rows: 'u32', width: 'u32', rowsPerSlab: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      let column = id.x;
      let slab = id.y;
      if (column >= params.width) { return; }
      let end = min((slab + 1u) * params.rowsPerSlab, params.rows);
      var sum_weight = 0.0;
      var sum_bias = 0.0;
      for (var row = slab * params.rowsPerSlab; row < end; row++) {
        let start = row * params.width;
        let d = dy[start + column];
        let centered = (x[start + column] - x[start]) - stats[2u * row];
        sum_weight += d * centered * stats[2u * row + 1u];
        sum_bias += d;
      }
      dWeight[slab * params.width + column] = sum_weight;
      dBias[slab * params.width + column] = sum_bias;
    }
  `,
});

interface ForwardArguments {
  inputs: { x: tf.TensorInfo; weight: tf.TensorInfo; bias: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { epsilon: number };
}

/** @returns y, and the shifted mean and 1/σ of each row, `[rows, 2]` */
export function layerNormKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const { x, weight, bias } = inputs;
  const width = weight.shape[0]!;
  const rows = sizeOf(x.shape) / width;
  const { y, stats } = dispatch(backend, forwardProgram(rowGroup(backend)), {
    inputs: { x, weight, bias },
    outputs: {
      y: { shape: x.shape, dtype: 'float32' },
      stats: { shape: [rows, 2], dtype: 'float32' },
    },
    params: { rows, width, epsilon: attrs.epsilon },
    workgroups: spread(rows),
  });
  return [y, stats];
}

interface GradientArguments {
  inputs: { dy: tf.TensorInfo; x: tf.TensorInfo; weight: tf.TensorInfo; stats: tf.TensorInfo };
  backend: WebGPUBackend;
}

/** @returns dx, dWeight and dBias */
export function layerNormGradientKernel({ inputs, backend }: GradientArguments): tf.TensorInfo[] {
  const { dy, x, weight, stats } = inputs;
  const width = weight.shape[0]!;
  const rows = sizeOf(x.shape) / width;
  const { dx } = dispatch(backend, inputGradientProgram(rowGroup(backend)), {
    inputs: { dy, x, weight, stats },
    outputs: { dx: { shape: x.shape, dtype: 'float32' } },
    params: { rows, width },
    workgroups: spread(rows),
  });
  const [dWeight, dBias] = columnSums(backend, rows, width, (slabs, rowsPerSlab) => {
    const partial = dispatch(backend, weightGradientProgram, {
      inputs: { dy, x, stats },
      outputs: {
        dWeight: { shape: [slabs, width], dtype: 'float32' },
        dBias: { shape: [slabs, width], dtype: 'float32' },
      },
      params: { rows, width, rowsPerSlab },
      workgroups: [Math.ceil(width / 64), slabs],
    });
    return [partial.dWeight, partial.dBias];
  });
  return [dx, dWeight!, dBias!];
}
