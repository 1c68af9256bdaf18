import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { lowest, peakWgsl } from '../dispatch/peak.js';
import { defineProgram, variants } from '../dispatch/program.js';
import {
  perRow,
  type RowGroup,
  rowGroup,
  rowGroupExtensions,
  rowGroupKey,
  rowMax,
  rowSum,
  rowsOf,
} from '../dispatch/row-group.js';

/** One group of lanes a row: a pass for its largest value and its sum, and one to write. */
const forwardProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/Softmax',
    enable: rowGroupExtensions(group),
    inputs: { x: 'f32' },
    outputs: { y: 'f32' },
    params: { rows: 'u32', width: 'u32' },
    wgsl: /* wgsl */ `
      ${rowSum(group)}
      ${rowMax(group)}
      ${peakWgsl()}
      ${perRow(
        group.lanes,
        'params.rows',
        /* wgsl */ `
        let start = row * params.width;
        var peak = Peak(${lowest}, 0.0);
        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          peak = raised(peak, x[start + i]);
        }
        let largest = row_max(peak.largest, lane);
        let scale = 1.0 / row_sum(peak.sum * exp(peak.largest - largest), lane);
        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          y[start + i] = exp(x[start + i] - largest) * scale;
        }
      `,
      )}
    `,
  }),
);

/** `dx = y · (dy − Σ y dy)`; one group of lanes a row. */
const gradientProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/SoftmaxGradient',
    enable: rowGroupExtensions(group),
    inputs: { dy: 'f32', y: 'f32' },
    outputs: { dx: 'f32' },
    params: { rows: 'u32', width: 'u32' },
    wgsl: /* wgsl */ `
      ${rowSum(group)}
      ${perRow(
        group.lanes,
        'params.rows',
        /* wgsl */ `
        let start = row * params.width;
        var sum = 0.0;
        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          sum += y[start + i] * dy[start + i];
        }
        let mean = row_sum(sum, lane);
        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          dx[start + i] = y[start + i] * (dy[start + i] - mean);
        }
      `,
      )}
    `,
  }),
);

interface ForwardArguments {
  inputs: { x: tf.TensorInfo };
  backend: WebGPUBackend;
}

/** @returns y */
export function softmaxKernel({ inputs, backend }: ForwardArguments): tf.TensorInfo[] {
  const { shape } = inputs.x;
  const { y } = dispatch(backend, forwardProgram(rowGroup(backend)), {
    inputs,
    outputs: { y: { shape, dtype: 'float32' } },
    ...overRows(shape),
  });
  return [y];
}

interface GradientArguments {
  inputs: { dy: tf.TensorInfo; y: tf.TensorInfo };
  backend: WebGPUBackend;
}

/** @returns dx */
export function softmaxGradientKernel({ inputs, backend }: GradientArguments): tf.TensorInfo[] {
  const { shape } = inputs.y;
  const { dx } = dispatch(backend, gradientProgram(rowGroup(backend)), {
    inputs,
    outputs: { dx: { shape, dtype: 'float32' } },
    ...overRows(shape),
  });
  return [dx];
}

/** The parameters of a row program, and a workgroup a row. */
function overRows(shape: number[]) {
  const params = rowsOf(shape);
  return { params, workgroups: spread(params.rows) };
}
