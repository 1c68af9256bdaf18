import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { columnSums, columnsPerGroup } from '../column-sums/webgpu.js';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import { addingReads, plainReads, rowsOf } from '../dispatch/residual.js';
import {
  type RowGroup,
  rowGroup,
  rowGroupExtensions,
  rowGroupKey,
  rowSum,
} from '../dispatch/row-group.js';

/**
 * One group of lanes a row; keeps the mean, less the row's first value, and 1/σ for the backward.
 *
 * `first(i)` is a value when it is first read, `value(i)` later on.
 */
const forwardWgsl = (group: RowGroup, reads: string) => /* wgsl */ `
  ${rowSum(group)}
  ${reads}
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
    let shift = origin(start);
    var sum_of_row = 0.0;
    for (var i = lane; i < params.width; i += ${group.lanes}u) {
      sum_of_row += first(start + i) - shift;
    }
    let mean = row_sum(sum_of_row, lane) / width;

    var squares = 0.0;
    for (var i = lane; i < params.width; i += ${group.lanes}u) {
      let centered = (value(start + i) - shift) - mean;
      squares += centered * centered;
    }
    let scale = inverseSqrt(row_sum(squares, lane) / width + params.epsilon);

    for (var i = lane; i < params.width; i += ${group.lanes}u) {
      y[start + i] = ((value(start + i) - shift) - mean) * scale * weight[i] + bias[i];
    }
    if (lane == 0u) {
      stats[2u * row] = mean;
      stats[2u * row + 1u] = scale;
    }
  }
`;

const forwardProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/LayerNorm',
    enable: rowGroupExtensions(group),
    inputs: { x: 'f32', weight: 'f32', bias: 'f32' },
    outputs: { y: 'f32', stats: 'f32' },
    params: { rows: 'u32', width: 'u32', epsilon: 'f32' },
    wgsl: forwardWgsl(group, plainReads),
  }),
);

/** The norm of `x + added`, which is kept too. */
const addForwardProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/AddLayerNorm',
    enable: rowGroupExtensions(group),
    inputs: { x: 'f32', added: 'f32', weight: 'f32', bias: 'f32' },
    outputs: { y: 'f32', sum: 'f32', stats: 'f32' },
    params: { rows: 'u32', width: 'u32', epsilon: 'f32' },
    wgsl: forwardWgsl(group, addingReads),
  }),
);

/** `dx = (g − mean(g) − x̂ · mean(g · x̂)) / σ`, where `g = dy · weight`, and what comes straight to x. */
const inputGradientWgsl = (group: RowGroup, straight: string) => /* wgsl */ `
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
      let own = scale * (dy[start + i] * weight[i] - mean_g - normalized * mean_gx);
      dx[start + i] = own${straight};
    }
  }
`;

const inputGradientProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/LayerNormInputGradient',
    enable: rowGroupExtensions(group),
    inputs: { dy: 'f32', x: 'f32', weight: 'f32', stats: 'f32' },
    outputs: { dx: 'f32' },
    params: { rows: 'u32', width: 'u32' },
    wgsl: inputGradientWgsl(group, ''),
  }),
);

const addInputGradientProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/AddLayerNormInputGradient',
    enable: rowGroupExtensions(group),
    inputs: { dy: 'f32', x: 'f32', weight: 'f32', stats: 'f32', dSum: 'f32' },
    outputs: { dx: 'f32' },
    params: { rows: 'u32', width: 'u32' },
    wgsl: inputGradientWgsl(group, ' + dSum[start + i]'),
  }),
);

/**
 * Sums of `dy · x̂` and of `dy` over slabs of rows; one lane has four columns of a slab, so that what
 * belongs to a row is read once for all of them.
 */
const weightGradientProgram = defineProgram({
  label: 'headwise/LayerNormWeightGradient',
  inputs: { dy: 'f32', x: 'f32', stats: 'f32' },
  outputs: { dWeight: 'f32', dBias: 'f32' },
  params: { rows: 'u32', width: 'u32', rowsPerSlab: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let column = workgroup.x * ${columnsPerGroup}u + lane;
      let slab = workgroup.y;
      let end = min((slab + 1u) * params.rowsPerSlab, params.rows);
      var sum_weight = vec4f(0.0);
      var sum_bias = vec4f(0.0);
      for (var row = slab * params.rowsPerSlab; row < end; row++) {
        let start = row * params.width;
        let shift = x[start];
        let mean = stats[2u * row];
        let scale = stats[2u * row + 1u];
        for (var k = 0u; k < 4u; k++) {
          let i = column + 64u * k;
          if (i >= params.width) { break; }
          let d = dy[start + i];
          sum_weight[k] += d * ((x[start + i] - shift) - mean) * scale;
          sum_bias[k] += d;
        }
      }
      for (var k = 0u; k < 4u; k++) {
        let i = column + 64u * k;
        if (i >= params.width) { break; }
        dWeight[slab * params.width + i] = sum_weight[k];
        dBias[slab * params.width + i] = sum_bias[k];
      }
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
  const { shape } = inputs.x;
  const { rows, width } = rowsOf(shape);
  const { y, stats } = dispatch(backend, forwardProgram(rowGroup(backend)), {
    inputs,
    outputs: {
      y: { shape, dtype: 'float32' },
      stats: { shape: [rows, 2], dtype: 'float32' },
    },
    params: { rows, width, epsilon: attrs.epsilon },
    workgroups: spread(rows),
  });
  return [y, stats];
}

interface AddForwardArguments extends ForwardArguments {
  inputs: ForwardArguments['inputs'] & { added: tf.TensorInfo };
}

/** @returns y, the sum that was normalised, and the statistics of its rows, `[rows, 2]` */
export function addLayerNormKernel({
  inputs,
  backend,
  attrs,
}: AddForwardArguments): tf.TensorInfo[] {
  const { shape } = inputs.x;
  const { rows, width } = rowsOf(shape);
  const { y, sum, stats } = dispatch(backend, addForwardProgram(rowGroup(backend)), {
    inputs,
    outputs: {
      y: { shape, dtype: 'float32' },
      sum: { shape, dtype: 'float32' },
      stats: { shape: [rows, 2], dtype: 'float32' },
    },
    params: { rows, width, epsilon: attrs.epsilon },
    workgroups: spread(rows),
  });
  return [y, sum, stats];
}

interface GradientArguments {
  inputs: {
    dy: tf.TensorInfo;
    x: tf.TensorInfo;
    weight: tf.TensorInfo;
    stats: tf.TensorInfo;
    /** What comes straight to x, past the norm. */
    dSum?: tf.TensorInfo;
  };
  backend: WebGPUBackend;
}

/** @returns dx, dWeight and dBias */
export function layerNormGradientKernel({ inputs, backend }: GradientArguments): tf.TensorInfo[] {
  const { dSum, ...own } = inputs;
  const { dy, x, stats } = own;
  const { rows, width } = rowsOf(x.shape);
  const rest = {
    outputs: { dx: { shape: x.shape, dtype: 'float32' as const } },
    params: { rows, width },
    workgroups: spread(rows),
  };
  const group = rowGroup(backend);
  const { dx } = dSum
    ? dispatch(backend, addInputGradientProgram(group), { inputs: { ...own, dSum }, ...rest })
    : dispatch(backend, inputGradientProgram(group), { inputs: own, ...rest });
  const [dWeight, dBias] = columnSums(backend, rows, width, (slabs, rowsPerSlab) => {
    const partial = dispatch(backend, weightGradientProgram, {
      inputs: { dy, x, stats },
      outputs: {
        dWeight: { shape: [slabs, width], dtype: 'float32' },
        dBias: { shape: [slabs, width], dtype: 'float32' },
      },
      params: { rows, width, rowsPerSlab },
      workgroups: [Math.ceil(width / columnsPerGroup), slabs],
    });
    return [partial.dWeight, partial.dBias];
  });
  return [dx, dWeight!, dBias!];
}
