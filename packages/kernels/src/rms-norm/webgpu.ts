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

/** One group of lanes a row; keeps 1/rms for the backward pass. */
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

    var squares = 0.0;
    for (var i = lane; i < params.width; i += ${group.lanes}u) {
      let own = first(start + i);
      squares += own * own;
    }
    let mean_square = row_sum(squares, lane) / f32(params.width);
    let row_scale = inverseSqrt(mean_square + params.epsilon);

    for (var i = lane; i < params.width; i += ${group.lanes}u) {
      y[start + i] = value(start + i) * row_scale * weight[i];
    }
    if (lane == 0u) { scale[row] = row_scale; }
  }
`;

const forwardProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/RmsNorm',
    enable: rowGroupExtensions(group),
    inputs: { x: 'f32', weight: 'f32' },
    outputs: { y: 'f32', scale: 'f32' },
    params: { rows: 'u32', width: 'u32', epsilon: 'f32' },
    wgsl: forwardWgsl(group, plainReads),
  }),
);

/** The norm of `x + added`, which is kept too. */
const addForwardProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/AddRmsNorm',
    enable: rowGroupExtensions(group),
    inputs: { x: 'f32', added: 'f32', weight: 'f32' },
    outputs: { y: 'f32', sum: 'f32', scale: 'f32' },
    params: { rows: 'u32', width: 'u32', epsilon: 'f32' },
    wgsl: forwardWgsl(group, addingReads),
  }),
);

/** `dx = (g − x̂ · mean(g · x̂)) / rms`, where `g = dy · weight`, and what comes straight to x. */
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
    let row_scale = scale[row];

    var sum_gx = 0.0;
    for (var i = lane; i < params.width; i += ${group.lanes}u) {
      sum_gx += dy[start + i] * weight[i] * x[start + i] * row_scale;
    }
    let mean_gx = row_sum(sum_gx, lane) / f32(params.width);

    for (var i = lane; i < params.width; i += ${group.lanes}u) {
      let normalized = x[start + i] * row_scale;
      let own = row_scale * (dy[start + i] * weight[i] - normalized * mean_gx);
      dx[start + i] = own${straight};
    }
  }
`;

const inputGradientProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/RmsNormInputGradient',
    enable: rowGroupExtensions(group),
    inputs: { dy: 'f32', x: 'f32', weight: 'f32', scale: 'f32' },
    outputs: { dx: 'f32' },
    params: { rows: 'u32', width: 'u32' },
    wgsl: inputGradientWgsl(group, ''),
  }),
);

const addInputGradientProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/AddRmsNormInputGradient',
    enable: rowGroupExtensions(group),
    inputs: { dy: 'f32', x: 'f32', weight: 'f32', scale: 'f32', dSum: 'f32' },
    outputs: { dx: 'f32' },
    params: { rows: 'u32', width: 'u32' },
    wgsl: inputGradientWgsl(group, ' + dSum[start + i]'),
  }),
);

/** Sums of `dy · x̂` over slabs of rows; one lane has four columns of a slab. */
const weightGradientProgram = defineProgram({
  label: 'headwise/RmsNormWeightGradient',
  inputs: { dy: 'f32', x: 'f32', scale: 'f32' },
  outputs: { dWeight: 'f32' },
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
      var sum = vec4f(0.0);
      for (var row = slab * params.rowsPerSlab; row < end; row++) {
        let start = row * params.width;
        let row_scale = scale[row];
        for (var k = 0u; k < 4u; k++) {
          let i = column + 64u * k;
          if (i >= params.width) { break; }
          sum[k] += dy[start + i] * x[start + i] * row_scale;
        }
      }
      for (var k = 0u; k < 4u; k++) {
        let i = column + 64u * k;
        if (i >= params.width) { break; }
        dWeight[slab * params.width + i] = sum[k];
      }
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
  const { shape } = inputs.x;
  const { rows, width } = rowsOf(shape);
  const { y, scale } = dispatch(backend, forwardProgram(rowGroup(backend)), {
    inputs,
    outputs: {
      y: { shape, dtype: 'float32' },
      scale: { shape: [rows], dtype: 'float32' },
    },
    params: { rows, width, epsilon: attrs.epsilon },
    workgroups: spread(rows),
  });
  return [y, scale];
}

interface AddForwardArguments extends ForwardArguments {
  inputs: ForwardArguments['inputs'] & { added: tf.TensorInfo };
}

/** @returns y, the sum that was normalised, and 1/rms of its rows, `[rows]` */
export function addRmsNormKernel({ inputs, backend, attrs }: AddForwardArguments): tf.TensorInfo[] {
  const { shape } = inputs.x;
  const { rows, width } = rowsOf(shape);
  const { y, sum, scale } = dispatch(backend, addForwardProgram(rowGroup(backend)), {
    inputs,
    outputs: {
      y: { shape, dtype: 'float32' },
      sum: { shape, dtype: 'float32' },
      scale: { shape: [rows], dtype: 'float32' },
    },
    params: { rows, width, epsilon: attrs.epsilon },
    workgroups: spread(rows),
  });
  return [y, sum, scale];
}

interface GradientArguments {
  inputs: {
    dy: tf.TensorInfo;
    x: tf.TensorInfo;
    weight: tf.TensorInfo;
    scale: tf.TensorInfo;
    /** What comes straight to x, past the norm. */
    dSum?: tf.TensorInfo;
  };
  backend: WebGPUBackend;
}

/** @returns dx and dWeight */
export function rmsNormGradientKernel({ inputs, backend }: GradientArguments): tf.TensorInfo[] {
  const { dSum, ...own } = inputs;
  const { dy, x, scale } = own;
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
  const [dWeight] = columnSums(backend, rows, width, (slabs, rowsPerSlab) => {
    const partial = dispatch(backend, weightGradientProgram, {
      inputs: { dy, x, scale },
      outputs: { dWeight: { shape: [slabs, width], dtype: 'float32' } },
      params: { rows, width, rowsPerSlab },
      workgroups: [Math.ceil(width / columnsPerGroup), slabs],
    });
    return [partial.dWeight];
  });
  return [dx, dWeight!];
}
