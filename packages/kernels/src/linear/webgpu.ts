import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { loadFloats, readsFours, type Tiling } from '../matrix-product/form.js';
import { matrixProduct } from '../matrix-product/product.js';
import { tilingFor } from '../matrix-product/tiling.js';
import { activationWgsl, type LinearActivation } from './activation.js';

interface ForwardVariant {
  tiling: Tiling;
  activation: LinearActivation;
  bias: boolean;
  /** Also stores the values before the activation, for the backward. */
  keep: boolean;
}

const forwardProgram = variants(
  ({ tiling, activation, bias, keep }: ForwardVariant) =>
    `${tiling.key}/${activation}/${bias}/${keep}`,
  ({ tiling, activation, bias, keep }) =>
    defineProgram({
      label: 'headwise/Linear',
      enable: tiling.enable,
      inputs: {
        x: 'f32',
        weight: readsFours(tiling) ? 'vec4f' : 'f32',
        ...(bias ? { bias: 'f32' } : {}),
      } as ForwardInputs<ElementType>,
      outputs: { y: 'f32', ...(keep ? { z: 'f32' } : {}) } as Record<'y' | 'z', 'f32'>,
      params: {
        rows: 'u32',
        columns: 'u32',
        inner: 'u32',
        steps: 'u32',
        aStep: 'u32',
        bStep: 'u32',
        bColumn: 'u32',
      },
      wgsl: /* wgsl */ `
        fn a_start(row: u32) -> u32 { return row * params.inner; }
        fn b_start(column: u32) -> u32 { return column * params.bColumn; }
        fn load_a(start: u32, k: u32) -> f32 { return x[start + k]; }
        ${loadFloats('weight', tiling)}
        ${activationWgsl[activation]}
        fn store(row: u32, column: u32, sum: f32) {
          let before = sum${bias ? ' + bias[column]' : ''};
          ${keep ? 'z[row * params.columns + column] = before;' : ''}
          y[row * params.columns + column] = activation(before);
        }
        ${tiling.wgsl()}
      `,
    }),
);

/** `dz = dy · f'(z)`. */
const activationGradientProgram = variants(
  (activation: LinearActivation) => activation,
  (activation) =>
    defineProgram({
      label: 'headwise/ActivationGradient',
      inputs: { dy: 'f32', z: 'f32' },
      outputs: { dz: 'f32' },
      params: { size: 'u32' },
      wgsl: /* wgsl */ `
        ${activationWgsl[activation]}
        ${perElement(/* wgsl */ `dz[i] = dy[i] * slope(z[i]);`)}
      `,
    }),
);

type ForwardInputs<T> = { x: T; weight: T; bias: T };

interface ForwardArguments {
  inputs: { x: tf.TensorInfo; weight: tf.TensorInfo; bias?: tf.TensorInfo | undefined };
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation; keep: boolean };
}

/** @returns y, and if kept the values before the activation, `[N, Out]` both */
export function linearKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const { x, weight, bias } = inputs;
  const { transposed, activation, keep } = attrs;
  const [rows, inner] = x.shape as [number, number];
  const columns = weight.shape[transposed ? 0 : 1]!;
  const wide = (transposed ? inner : columns) % 4 === 0;
  const form = { value: 'f32', pack: 1, columnSums: false, wide } as const;
  const tiling = tilingFor(backend, form, rows, transposed ? 'inner' : 'columns');
  const output = { shape: [rows, columns], dtype: 'float32' as const };
  const program = forwardProgram({ tiling, activation, bias: bias !== undefined, keep });
  const { y, z } = dispatch(backend, program, {
    inputs: { x, weight, bias: bias! },
    outputs: { y: output, z: output },
    params: {
      rows,
      columns,
      inner,
      // The tilings of dots count four as four steps.
      steps: Math.ceil(inner / tiling.pack),
      aStep: 1,
      bStep: transposed ? (readsFours(tiling) ? 4 : 1) : columns,
      bColumn: transposed ? inner : 1,
    },
    workgroups: tiling.workgroups(rows, columns),
  });
  return keep ? [y, z] : [y];
}

interface GradientArguments {
  inputs: {
    dy: tf.TensorInfo;
    x: tf.TensorInfo;
    weight: tf.TensorInfo;
    z?: tf.TensorInfo | undefined;
  };
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation };
}

/** @returns dx, dWeight and dBias */
export function linearGradientKernel({
  inputs,
  backend,
  attrs,
}: GradientArguments): tf.TensorInfo[] {
  const { dy, x, weight, z } = inputs;
  const { transposed, activation } = attrs;
  const dz = z ? activationGradient(backend, dy, z, activation) : dy;
  const [dx] = matrixProduct(backend, { tensor: dz }, { tensor: weight, transposed: !transposed });
  const [dWeight, dBias] = matrixProduct(
    backend,
    { tensor: x, transposed: true },
    { tensor: dz },
    { columnSums: true, transposed },
  );
  if (z) backend.disposeData(dz.dataId);
  return [dx!, dWeight!, dBias!];
}

function activationGradient(
  backend: WebGPUBackend,
  dy: tf.TensorInfo,
  z: tf.TensorInfo,
  activation: LinearActivation,
): tf.TensorInfo {
  const [rows, columns] = z.shape as [number, number];
  const size = rows * columns;
  return dispatch(backend, activationGradientProgram(activation), {
    inputs: { dy, z },
    outputs: { dz: { shape: [rows, columns], dtype: 'float32' } },
    params: { size },
    workgroups: elementWorkgroups(size),
  }).dz;
}
