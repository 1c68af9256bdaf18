import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { activationWgsl, type LinearActivation } from '../linear/activation.js';
import { fewRows } from '../matrix-product/few-rows.js';
import type { Tiling } from '../matrix-product/form.js';
import { tilingFor } from '../matrix-product/tiling.js';
import {
  describeNorm,
  loadNormalized,
  type Norm,
  type NormForm,
  normInputs,
  normKey,
  statisticsPrologue,
} from './normalized.js';
import {
  type DecodeWeight,
  describeWeight,
  loadWeight,
  type WeightForm,
  weightInputs,
} from './weight.js';

export interface DecodeLinearOptions {
  /** Applied to the rows before; default none. */
  norm?: Norm;
  /** `[Out]` */
  bias?: tf.Tensor;
  /** Default `none`. */
  activation?: LinearActivation;
  /** Added at the end, `[N, Out]`. */
  residual?: tf.Tensor;
}

interface Variant {
  tiling: Tiling;
  norm: NormForm;
  weight: WeightForm;
  bias: boolean;
  activation: LinearActivation;
  residual: boolean;
}

const program = variants(
  ({ tiling, norm, weight, bias, activation, residual }: Variant) =>
    [tiling.key, normKey(norm), weight, bias, activation, residual].join('/'),
  ({ tiling, norm, weight, bias, activation, residual }) =>
    defineProgram({
      label: 'headwise/DecodeLinear',
      enable: tiling.enable,
      inputs: {
        x: 'f32',
        ...weightInputs(weight, tiling),
        ...(bias ? { bias: 'f32' } : {}),
        ...(residual ? { residual: 'f32' } : {}),
        ...normInputs(norm),
      } as Record<string, ElementType>,
      outputs: { y: 'f32' },
      params: {
        rows: 'u32',
        columns: 'u32',
        stride: 'u32',
        inner: 'u32',
        steps: 'u32',
        group: 'u32',
        epsilon: 'f32',
      },
      wgsl: /* wgsl */ `
        ${loadNormalized(norm)}
        ${loadWeight(weight, tiling)}
        ${activationWgsl[activation]}
        fn store(row: u32, column: u32, sum: f32) {
          let i = row * params.columns + column;
          let before = whole(sum, column)${bias ? ' + bias[column]' : ''};
          y[i] = activation(before)${residual ? ' + residual[i]' : ''};
        }
        ${tiling.wgsl}
      `,
    }),
);

/**
 * A linear map of few rows with all that stands around it in a block: `f(norm(x) W + b) + residual`,
 * in one dispatch. For inference on WebGPU: it has no gradient.
 *
 * @param x `[N, In]`, N from 1 to 8
 * @param weight `[In, Out]`, perhaps packed
 * @returns `[N, Out]`
 * @throws ShapeError where shapes do not fit, InputError for another number of rows
 */
export function decodeLinear(
  x: tf.Tensor2D,
  weight: DecodeWeight,
  options: DecodeLinearOptions = {},
): tf.Tensor2D {
  const { norm = { kind: 'none' }, bias, activation = 'none', residual } = options;
  const {
    form: weightForm,
    inner,
    columns,
    group,
    pack,
    stride,
    wide,
    tensors,
  } = describeWeight(weight);
  const rows = x.shape[0];
  if (rows < 1 || rows > fewRows) {
    throw new InputError(`decodeLinear: x has ${rows} rows; expected 1 to ${fewRows}`);
  }
  checkShape('decodeLinear: x', x.shape, [rows, inner]);
  if (bias) checkShape('decodeLinear: bias', bias.shape, [columns]);
  if (residual) checkShape('decodeLinear: residual', residual.shape, [rows, columns]);
  const {
    form: normForm,
    tensors: normTensors,
    epsilon,
  } = describeNorm('decodeLinear', norm, inner);
  const backend = tf.backend() as WebGPUBackend;
  const prologue = statisticsPrologue(normForm);
  const form = { value: 'f32', pack, columnSums: false, prologue, wide } as const;
  const tiling = tilingFor(backend, form, rows, 'columns');
  const variant = {
    tiling,
    norm: normForm,
    weight: weightForm,
    bias: bias !== undefined,
    activation,
    residual: residual !== undefined,
  };
  const { y } = dispatch(backend, program(variant), {
    inputs: {
      x,
      ...tensors,
      ...(bias ? { bias } : {}),
      ...(residual ? { residual } : {}),
      ...normTensors,
    },
    outputs: { y: { shape: [rows, columns], dtype: 'float32' } },
    params: { rows, columns, stride, inner, steps: Math.ceil(inner / tiling.pack), group, epsilon },
    workgroups: tiling.workgroups(rows, columns),
  });
  return tf.engine().makeTensorFromTensorInfo(y) as tf.Tensor2D;
}
