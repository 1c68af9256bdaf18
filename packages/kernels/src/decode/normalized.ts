import type * as tf from '@tensorflow/tfjs';
import { type RowGroup, rowSum } from '../dispatch/row-group.js';
import { fewRows } from '../matrix-product/few-rows.js';

/** A norm that is computed where its result is read. */
export type Norm =
  | { kind: 'none' }
  | { kind: 'layer'; weight: tf.Tensor; bias: tf.Tensor; epsilon?: number }
  | { kind: 'rms'; weight: tf.Tensor; epsilon?: number };

/** The element types of the buffers that a norm adds to a program. */
export function normInputs(kind: Norm['kind']): Record<string, 'f32'> {
  if (kind === 'none') return {};
  return kind === 'rms' ? { norm_weight: 'f32' } : { norm_weight: 'f32', norm_bias: 'f32' };
}

/** The tensors of those buffers. */
export function normTensors(norm: Norm): Record<string, tf.Tensor> {
  if (norm.kind === 'none') return {};
  const { weight } = norm;
  return norm.kind === 'rms'
    ? { norm_weight: weight }
    : { norm_weight: weight, norm_bias: norm.bias };
}

/** What is added to the variance. */
export const normEpsilon = (norm: Norm): number =>
  norm.kind === 'none' ? 0 : (norm.epsilon ?? (norm.kind === 'rms' ? 1e-6 : 1e-5));

/** `load_a` of the product: a value of the normalised rows of `x`, by the statistics of the prologue. */
export function loadNormalized(kind: Norm['kind']): string {
  const x = 'x[row * params.inner + k]';
  const value = {
    none: x,
    rms: `${x} * row_scale[row] * norm_weight[k]`,
    layer: `((${x} - row_shift[row]) - row_mean[row]) * row_scale[row] * norm_weight[k] + norm_bias[k]`,
  }[kind];
  return `
    fn a_start(row: u32) -> u32 { return row; }
    fn load_a(row: u32, k: u32) -> f32 { return ${value}; }
  `;
}

/** The prologue in which every workgroup finds the statistics of all rows, by the lanes together. */
export function statisticsPrologue(kind: Norm['kind']): ((group: RowGroup) => string) | undefined {
  if (kind === 'none') return undefined;
  const each = ({ lanes }: RowGroup, body: string) =>
    `for (var i = lane; i < params.inner; i += ${lanes}u) { ${body} }`;
  return (group) => /* wgsl */ `
    var<private> row_shift: array<f32, ${fewRows}>;
    var<private> row_mean: array<f32, ${fewRows}>;
    var<private> row_scale: array<f32, ${fewRows}>;
    ${rowSum(group)}
    fn prologue(lane: u32) {
      for (var row = 0u; row < params.rows; row++) {
        let start = row * params.inner;
        let width = f32(params.inner);
        var mean = 0.0;
        ${
          kind === 'layer'
            ? `// Seen from the row's first value, so that a large offset costs no digits.
               let shift = x[start];
               var sum = 0.0;
               ${each(group, 'sum += x[start + i] - shift;')}
               mean = row_sum(sum, lane) / width;`
            : 'let shift = 0.0;'
        }
        var squares = 0.0;
        ${each(group, 'let centered = (x[start + i] - shift) - mean; squares += centered * centered;')}
        row_shift[row] = shift;
        row_mean[row] = mean;
        row_scale[row] = inverseSqrt(row_sum(squares, lane) / width + params.epsilon);
      }
    }
  `;
}
