import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { type RowGroup, rowSum } from '../dispatch/row-group.js';
import { layerNorm } from '../layer-norm/index.js';
import { fewRows } from '../matrix-product/few-rows.js';
import { rmsNorm } from '../rms-norm/index.js';

/**
 * A norm that is computed where its result is read.
 *
 * Without `weight` and `bias` the rows are only normalised: `foldNorm` puts both into the linear map
 * that follows.
 */
export type Norm =
  | { kind: 'none' }
  | {
      kind: 'layer';
      weight?: tf.Tensor | undefined;
      bias?: tf.Tensor | undefined;
      epsilon?: number | undefined;
    }
  | { kind: 'rms'; weight?: tf.Tensor | undefined; epsilon?: number | undefined };

/** A norm as a program is written for it. */
export interface NormForm {
  kind: Norm['kind'];
  weight: boolean;
  bias: boolean;
}

/**
 * The form of a norm, the tensors that it adds to a program, and what is added to the variance.
 *
 * @param op names the operation in errors
 * @param inner the width of the rows
 * @throws ShapeError where its weight or bias is of another width
 */
export function describeNorm(
  op: string,
  norm: Norm,
  inner: number,
): {
  form: NormForm;
  tensors: Record<string, tf.Tensor>;
  epsilon: number;
} {
  const weight = norm.kind === 'none' ? undefined : norm.weight;
  const bias = norm.kind === 'layer' ? norm.bias : undefined;
  const tensors = {
    ...(weight ? { norm_weight: weight } : {}),
    ...(bias ? { norm_bias: bias } : {}),
  };
  for (const [name, tensor] of Object.entries(tensors)) {
    checkShape(`${op}: ${name}`, tensor.shape, [inner]);
  }
  return {
    form: { kind: norm.kind, weight: weight !== undefined, bias: bias !== undefined },
    tensors,
    epsilon: norm.kind === 'none' ? 0 : (norm.epsilon ?? (norm.kind === 'rms' ? 1e-6 : 1e-5)),
  };
}

/** Rows that are normalised in a dispatch of their own. */
export function normalizedRows(x: tf.Tensor2D, norm: Norm): tf.Tensor2D {
  const width = x.shape[1];
  if (norm.kind === 'none') return x;
  const { epsilon, weight = tf.ones([width]) } = norm;
  return (
    norm.kind === 'rms'
      ? rmsNorm(x, weight, epsilon)
      : layerNorm(x, weight, norm.bias ?? tf.zeros([width]), epsilon)
  ) as tf.Tensor2D;
}

/** Tells forms apart. */
export const normKey = ({ kind, weight, bias }: NormForm): string => `${kind}/${weight}/${bias}`;

/** The element types of the buffers that a norm adds to a program. */
export const normInputs = ({ weight, bias }: NormForm): Record<string, 'f32'> => ({
  ...(weight ? { norm_weight: 'f32' } : {}),
  ...(bias ? { norm_bias: 'f32' } : {}),
});

/**
 * Room for normalised rows in the memory of a workgroup, in values: a few sizes, so that widths share
 * programs; undefined where they need more than half of what every device has, or there is no norm.
 */
export function keptRows({ kind }: NormForm, rows: number, inner: number): number | undefined {
  const room = 2 ** Math.ceil(Math.log2(rows * inner));
  return kind === 'none' || room > 2048 ? undefined : Math.max(room, 256);
}

/**
 * `load_a` of the product: a value of the normalised rows of `x`, by the statistics of the prologue.
 *
 * @param kept the prologue keeps the rows themselves, in so much room
 */
export function loadNormalized({ kind, weight, bias }: NormForm, kept?: number): string {
  // Packed weights have values beyond the inner size in their last word: they are 0, whatever they multiply.
  const x = 'x[row * params.inner + i]';
  const normalized = {
    none: x,
    rms: `${x} * row_scale[row]`,
    layer: `((${x} - row_shift[row]) - row_mean[row]) * row_scale[row]`,
  }[kind];
  return /* wgsl */ `
    fn a_start(row: u32) -> u32 { return row; }
    fn normalized(row: u32, i: u32) -> f32 {
      return ${normalized}${weight ? ' * norm_weight[i]' : ''}${bias ? ' + norm_bias[i]' : ''};
    }
    fn load_a(row: u32, k: u32) -> f32 {
      let i = min(k, params.inner - 1u);
      return ${kept ? 'kept_rows[row * params.inner + i]' : 'normalized(row, i)'};
    }
  `;
}

/**
 * The prologue in which every workgroup finds the statistics of all rows, by the lanes together.
 *
 * @param room for the normalised rows, which it keeps where a tiling loads them again and again
 */
export function statisticsPrologue(
  { kind }: NormForm,
  room?: number,
): ((group: RowGroup, rereads: boolean) => string) | undefined {
  if (kind === 'none') return undefined;
  const each = ({ lanes }: RowGroup, body: string) =>
    `for (var i = lane; i < params.inner; i += ${lanes}u) { ${body} }`;
  // Seen from the row's first value, so that a large offset costs no digits.
  const center = (group: RowGroup) => /* wgsl */ `
    shift = x[start];
    var sum = 0.0;
    ${each(group, 'sum += x[start + i] - shift;')}
    mean = row_sum(sum, lane) / width;
  `;
  return (group, rereads) => {
    const kept = rereads ? room : undefined;
    return /* wgsl */ `
    var<private> row_shift: array<f32, ${fewRows}>;
    var<private> row_mean: array<f32, ${fewRows}>;
    var<private> row_scale: array<f32, ${fewRows}>;
    ${kept ? `var<workgroup> kept_rows: array<f32, ${kept}>;` : ''}
    ${rowSum(group)}
    fn prologue(lane: u32) {
      for (var row = 0u; row < params.rows; row++) {
        let start = row * params.inner;
        let width = f32(params.inner);
        var shift = 0.0;
        var mean = 0.0;
        ${kind === 'layer' ? center(group) : ''}
        var squares = 0.0;
        ${each(group, 'let centered = (x[start + i] - shift) - mean; squares += centered * centered;')}
        row_shift[row] = shift;
        row_mean[row] = mean;
        row_scale[row] = inverseSqrt(row_sum(squares, lane) / width + params.epsilon);
        ${kept ? each(group, 'kept_rows[start + i] = normalized(row, i);') : ''}
      }
      ${kept ? 'workgroupBarrier();' : ''}
    }
  `;
  };
}
