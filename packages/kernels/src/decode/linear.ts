import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import { activationWgsl, type LinearActivation } from '../linear/activation.js';
import { fewRows } from '../matrix-product/few-rows.js';
import type { Tiling } from '../matrix-product/form.js';
import { tilingFor } from '../matrix-product/tiling.js';
import {
  loadNormalized,
  type Norm,
  normEpsilon,
  normInputs,
  normTensors,
  statisticsPrologue,
} from './normalized.js';

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
  norm: Norm['kind'];
  bias: boolean;
  activation: LinearActivation;
  residual: boolean;
}

type Inputs<T> = Record<string, T>;

const program = variants(
  ({ tiling, norm, bias, activation, residual }: Variant) =>
    `${tiling.key}/${norm}/${bias}/${activation}/${residual}`,
  ({ tiling, norm, bias, activation, residual }) =>
    defineProgram({
      label: 'headwise/DecodeLinear',
      enable: tiling.enable,
      inputs: {
        x: 'f32',
        weight: 'f32',
        ...(bias ? { bias: 'f32' } : {}),
        ...(residual ? { residual: 'f32' } : {}),
        ...normInputs(norm),
      } as Inputs<'f32'>,
      outputs: { y: 'f32' },
      params: { rows: 'u32', columns: 'u32', inner: 'u32', steps: 'u32', epsilon: 'f32' },
      wgsl: /* wgsl */ `
        ${loadNormalized(norm)}
        fn b_start(column: u32) -> u32 { return column; }
        fn load_b(start: u32, step: u32) -> array<f32, 1> {
          return array(weight[start + step * params.columns]);
        }
        ${activationWgsl[activation]}
        fn store(row: u32, column: u32, sum: f32) {
          let i = row * params.columns + column;
          y[i] = activation(sum${bias ? ' + bias[column]' : ''})${residual ? ' + residual[i]' : ''};
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
 * @param weight `[In, Out]`
 * @returns `[N, Out]`
 * @throws ShapeError where shapes do not fit, InputError for another number of rows
 */
export function decodeLinear(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  options: DecodeLinearOptions = {},
): tf.Tensor2D {
  const { norm = { kind: 'none' }, bias, activation = 'none', residual } = options;
  const [rows, inner] = x.shape;
  if (rows < 1 || rows > fewRows) {
    throw new InputError(`decodeLinear: x has ${rows} rows; expected 1 to ${fewRows}`);
  }
  checkShape('decodeLinear: weight', weight.shape, [inner, 'Out']);
  const columns = weight.shape[1];
  if (bias) checkShape('decodeLinear: bias', bias.shape, [columns]);
  if (residual) checkShape('decodeLinear: residual', residual.shape, [rows, columns]);
  for (const [name, tensor] of Object.entries(normTensors(norm))) {
    checkShape(`decodeLinear: ${name}`, tensor.shape, [inner]);
  }
  const backend = tf.backend() as WebGPUBackend;
  const prologue = statisticsPrologue(norm.kind);
  const form = { value: 'f32', pack: 1, columnSums: false, prologue } as const;
  const tiling = tilingFor(backend, form, rows, 'columns');
  const variant = { tiling, norm: norm.kind, bias: !!bias, activation, residual: !!residual };
  const { y } = dispatch(backend, program(variant), {
    inputs: {
      x,
      weight,
      ...(bias ? { bias } : {}),
      ...(residual ? { residual } : {}),
      ...normTensors(norm),
    },
    outputs: { y: { shape: [rows, columns], dtype: 'float32' } },
    params: { rows, columns, inner, steps: inner, epsilon: normEpsilon(norm) },
    workgroups: tiling.workgroups(rows, columns),
  });
  return tf.engine().makeTensorFromTensorInfo(y) as tf.Tensor2D;
}
