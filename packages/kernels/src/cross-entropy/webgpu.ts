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
} from '../dispatch/row-group.js';
import type { CheckedCrossEntropy } from './options.js';

/** One group of lanes a row, one pass; keeps the largest score and `log Σ exp(x − largest)`. */
const forwardProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/CrossEntropy',
    enable: rowGroupExtensions(group),
    inputs: { logits: 'f32', labels: 'i32' },
    outputs: { loss: 'f32', stats: 'f32' },
    params: {
      rows: 'u32',
      width: 'u32',
      ignored: 'i32',
      smoothing: 'f32',
      zWeight: 'f32',
      nan: 'f32',
    },
    wgsl: /* wgsl */ `
      ${rowSum(group)}
      ${rowMax(group)}
      ${peakWgsl()}
      ${perRow(
        group.lanes,
        'params.rows',
        /* wgsl */ `
        let start = row * params.width;
        let label = labels[row];
        let known = label >= 0 && u32(label) < params.width;
        // Scores are seen from the label's, so that a large offset costs no digits.
        let own = logits[start + select(0u, u32(label), known)];

        var peak = Peak(${lowest}, 0.0);
        var offset = 0.0;
        for (var i = lane; i < params.width; i += ${group.lanes}u) {
          let score = logits[start + i];
          peak = raised(peak, score);
          offset += score - own;
        }
        let largest = row_max(peak.largest, lane);
        let log_sum = log(row_sum(peak.sum * exp(peak.largest - largest), lane));
        let mean = row_sum(offset, lane) / f32(params.width);

        if (lane == 0u) {
          stats[2u * row] = largest;
          stats[2u * row + 1u] = log_sum;
          let z = largest + log_sum;
          var value = log_sum + (largest - own) + params.zWeight * z * z;
          // A score of −∞ is allowed where nothing is smoothed.
          if (params.smoothing > 0.0) { value -= params.smoothing * mean; }
          if (!known) { value = params.nan; }
          loss[row] = select(value, 0.0, label == params.ignored);
        }
      `,
      )}
    `,
  }),
);

/** WGSL of `dx = dy · ((1 + 2 ζ z) softmax(x) − (1 − ε) onehot − ε / V)`; one group of lanes a row. */
const gradientWgsl = ({ lanes }: RowGroup, target: 'dLogits' | 'logits') => /* wgsl */ `
  ${perRow(
    lanes,
    'params.rows',
    /* wgsl */ `
    let start = row * params.width;
    let label = labels[row];
    let d = select(dy[row], 0.0, label == params.ignored);
    let largest = stats[2u * row];
    let log_sum = stats[2u * row + 1u];
    let scale = d * (1.0 + 2.0 * params.zWeight * (largest + log_sum));
    let even = d * params.smoothing / f32(params.width);
    let of_label = d * (1.0 - params.smoothing);

    for (var i = lane; i < params.width; i += ${lanes}u) {
      let share = scale * exp((logits[start + i] - largest) - log_sum) - even;
      ${target}[start + i] = share - select(0.0, of_label, i32(i) == label);
    }
  `,
  )}
`;

const gradientParams = {
  rows: 'u32',
  width: 'u32',
  ignored: 'i32',
  smoothing: 'f32',
  zWeight: 'f32',
} as const;

const gradientProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/CrossEntropyGradient',
    inputs: { dy: 'f32', logits: 'f32', labels: 'i32', stats: 'f32' },
    outputs: { dLogits: 'f32' },
    params: gradientParams,
    wgsl: gradientWgsl(group, 'dLogits'),
  }),
);

/** The gradient takes the place of the logits. */
const inPlaceGradientProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/CrossEntropyGradientInPlace',
    inputs: { dy: 'f32', labels: 'i32', stats: 'f32' },
    outputs: { logits: 'f32' },
    params: gradientParams,
    wgsl: gradientWgsl(group, 'logits'),
  }),
);

interface ForwardArguments {
  inputs: { logits: tf.TensorInfo; labels: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: CheckedCrossEntropy;
}

/** @returns the loss of each row, `[N]`; its largest score and the log of its sum, `[N, 2]` */
export function crossEntropyKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const [rows, width] = inputs.logits.shape as [number, number];
  const { loss, stats } = dispatch(backend, forwardProgram(rowGroup(backend)), {
    inputs,
    outputs: {
      loss: { shape: [rows], dtype: 'float32' },
      stats: { shape: [rows, 2], dtype: 'float32' },
    },
    params: { rows, width, ...fields(attrs), nan: Number.NaN },
    workgroups: spread(rows),
  });
  return [loss, stats];
}

export interface GradientArguments {
  inputs: { dy: tf.TensorInfo; logits: tf.TensorInfo; labels: tf.TensorInfo; stats: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: CheckedCrossEntropy;
}

/** @returns dLogits */
export function crossEntropyGradientKernel({
  inputs,
  backend,
  attrs,
}: GradientArguments): tf.TensorInfo[] {
  const [rows, width] = inputs.logits.shape as [number, number];
  const { dLogits } = dispatch(backend, gradientProgram(rowGroup(backend)), {
    inputs,
    outputs: { dLogits: { shape: [rows, width], dtype: 'float32' } },
    params: { rows, width, ...fields(attrs) },
    workgroups: spread(rows),
  });
  return [dLogits];
}

/** Replaces logits by their gradient in place; only for logits that no other operation reads. */
export function crossEntropyGradientInPlace({ inputs, backend, attrs }: GradientArguments): void {
  const { logits, ...rest } = inputs;
  const [rows, width] = logits.shape as [number, number];
  dispatch(backend, inPlaceGradientProgram(rowGroup(backend)), {
    inputs: rest,
    outputs: { logits },
    params: { rows, width, ...fields(attrs) },
    workgroups: spread(rows),
  });
}

const fields = ({ ignoreIndex, labelSmoothing, zLoss }: CheckedCrossEntropy) => ({
  ignored: ignoreIndex,
  smoothing: labelSmoothing,
  zWeight: zLoss,
});
