import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import type { Wanted } from '../dispatch/register.js';
import { finite, storedAs, storedIn, tensorOf } from '../halves/webgpu.js';
import { disposeCopies, laidFor, loadRows, stepOfB } from '../matrix-product/by-steps.js';
import {
  asFloat,
  elementsOf,
  loadFloats,
  ofEach,
  type Stored,
  storeSums,
  type Tiling,
  widthOfA,
  widthOfB,
  widthOfC,
} from '../matrix-product/form.js';
import { matrixProduct } from '../matrix-product/product.js';
import { tilingFor } from '../matrix-product/tiling.js';
import { activationWgsl, type LinearActivation } from './activation.js';
import { weightGradients } from './weight-gradient.js';

interface ForwardVariant {
  tiling: Tiling;
  activation: LinearActivation;
  bias: boolean;
  /** Also stores the values before the activation, for the backward pass. */
  keep: boolean;
  /** Adds another tensor to the result. */
  added: boolean;
  /** How x, the weight and the stored values before the activation are stored. */
  stored: Stored;
}

const forwardProgram = variants(
  ({ tiling, activation, bias, keep, added, stored }: ForwardVariant) =>
    `${tiling.key}/${activation}/${bias}/${keep}/${added}/${stored}`,
  ({ tiling, activation, bias, keep, added, stored }) =>
    defineProgram({
      label: 'headwise/Linear',
      enable: tiling.enable,
      inputs: {
        x: elementsOf(stored, widthOfA(tiling)),
        weight: elementsOf(stored, widthOfB(tiling)),
        ...(bias ? { bias: elementsOf('f32', widthOfC(tiling)) } : {}),
        ...(added ? { added: elementsOf('f32', widthOfC(tiling)) } : {}),
      } as ForwardInputs<ElementType>,
      outputs: {
        y: elementsOf('f32', widthOfC(tiling)),
        ...(keep ? { z: elementsOf(stored, widthOfC(tiling)) } : {}),
      } as Record<'y' | 'z', ElementType>,
      params: {
        rows: 'u32',
        columns: 'u32',
        inner: 'u32',
        steps: 'u32',
        aRow: 'u32',
        aStep: 'u32',
        bStep: 'u32',
        bColumn: 'u32',
      },
      wgsl: /* wgsl */ `
        fn a_start(row: u32) -> u32 { return row * params.aRow; }
        fn b_start(column: u32) -> u32 { return column * params.bColumn; }
        ${loadRows('x', tiling, stored)}
        ${loadFloats('weight', tiling, stored)}
        ${activationWgsl[activation]}
        ${storeSums(
          tiling,
          'row * params.columns + column',
          /* wgsl */ `
          let before = sum${bias ? ` + bias[column${tiling.storesFours ? ' / 4u' : ''}]` : ''};
          ${keep ? `z[i] = ${finite('before', stored)};` : ''}
          y[i] = ${ofEach('activation', 'before', widthOfC(tiling))}${added ? ' + added[i]' : ''};`,
        )}
        ${tiling.wgsl()}
      `,
    }),
);

/** `dz = dy · f'(z)`. */
const activationGradientProgram = variants(
  ({ activation, stored }: { activation: LinearActivation; stored: Stored }) =>
    `${activation}/${stored}`,
  ({ activation, stored }) =>
    defineProgram({
      label: 'headwise/ActivationGradient',
      inputs: { dy: 'f32', z: stored },
      outputs: { dz: stored },
      params: { size: 'u32' },
      wgsl: /* wgsl */ `
        ${activationWgsl[activation]}
        ${perElement(/* wgsl */ `dz[i] = ${stored}(dy[i] * slope(${asFloat('z[i]', stored)}));`)}
      `,
    }),
);

type ForwardInputs<T> = { x: T; weight: T; bias: T; added: T };

interface ForwardArguments {
  inputs: {
    x: tf.TensorInfo;
    weight: tf.TensorInfo;
    bias?: tf.TensorInfo | undefined;
    added?: tf.TensorInfo | undefined;
    /** x as halves; absent: the product is of float32. */
    halves?: tf.TensorInfo | undefined;
    /** The weight as halves, or itself. */
    matrix?: tf.TensorInfo | undefined;
  };
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation; keep: boolean };
}

/** @returns y, `[N, Out]`, and with `keep` the values before the activation, `[N, Out]`, stored as x is */
export function linearKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const { x, weight, bias, added, halves, matrix = weight } = inputs;
  const { transposed, activation, keep } = attrs;
  const [rows, inner] = x.shape as [number, number];
  const columns = weight.shape[transposed ? 0 : 1]!;
  const wide = (transposed ? inner : columns) % 4 === 0;
  const stored = storedIn(halves ?? x);
  const fours = columns % 4 === 0 && stored === 'f32';
  const form = { value: 'f32', pack: 1, columnSums: false, wide, fours } as const;
  const multiplied = storedAs(storedIn(halves ?? x), backend, matrix);
  const a = { tensor: halves ?? x, count: rows, inner, contiguous: 'inner' as const };
  const b = {
    ...{ tensor: multiplied, count: columns, inner },
    contiguous: transposed ? ('inner' as const) : ('lines' as const),
  };
  const tiling = tilingFor(backend, form, rows, transposed ? 'inner' : 'columns', [a, b]);
  const [left, right] = [
    laidFor(backend, tiling.along?.a, a),
    laidFor(backend, tiling.along?.b, b),
  ];
  const output = { shape: [rows, columns], dtype: 'float32' as const };
  const program = forwardProgram({
    ...{ tiling, activation, keep, stored },
    ...{ bias: bias !== undefined, added: added !== undefined },
  });
  const { y, z } = dispatch(backend, program, {
    inputs: { x: left.tensor, weight: right.tensor, bias: bias!, added: added! },
    outputs: { y: output, z: tensorOf(stored, output.shape) },
    params: {
      rows,
      columns,
      inner,
      // The tilings of dots count four as four steps.
      steps: Math.ceil(inner / tiling.pack),
      aRow: left.line,
      aStep: left.step,
      bStep: stepOfB(tiling, right),
      bColumn: right.line,
    },
    workgroups: tiling.workgroups(rows, columns),
  });
  disposeCopies(backend, left, right);
  if (multiplied !== matrix) backend.disposeData(multiplied.dataId);
  return keep ? [y, z] : [y];
}

interface GradientArguments {
  inputs: {
    dy: tf.TensorInfo;
    /** x, or its halves. */
    x: tf.TensorInfo;
    /** The weight, or its halves. */
    weight: tf.TensorInfo;
    /** Stored as x is. */
    z?: tf.TensorInfo | undefined;
  };
  backend: WebGPUBackend;
  attrs: { transposed: boolean; activation: LinearActivation; inner: number } & Wanted<
    'x' | 'weight' | 'bias'
  >;
}

/** @returns the gradients that are wanted; where x is stored as halves, the gradient of `x W + b` is rounded to halves */
export function linearGradientKernel({
  inputs,
  backend,
  attrs,
}: GradientArguments): tf.TensorInfo[] {
  const { dy, x, weight, z } = inputs;
  const { transposed, activation, inner, wanted } = attrs;
  const [rows, columns] = dy.shape as [number, number];
  const stored = storedIn(x);
  const dz = z
    ? activationGradient(backend, dy, z, { activation, stored })
    : storedAs(stored, backend, dy);
  const shape = [rows, columns] as const;
  const made: Partial<Record<'x' | 'weight' | 'bias', tf.TensorInfo | undefined>> = {};
  if (wanted.includes('x')) {
    const matrix = storedAs(stored, backend, weight);
    [made.x] = matrixProduct(
      backend,
      { tensor: dz, shape },
      {
        tensor: matrix,
        shape: transposed ? [columns, inner] : [inner, columns],
        transposed: !transposed,
      },
    );
    if (matrix !== weight) backend.disposeData(matrix.dataId);
  }
  Object.assign(
    made,
    weightGradients(
      backend,
      { tensor: x, shape: [rows, inner] },
      { tensor: dz, shape },
      { weight: wanted.includes('weight'), bias: wanted.includes('bias'), transposed },
    ),
  );
  if (dz !== dy) backend.disposeData(dz.dataId);
  return wanted.map((name) => made[name]!);
}

function activationGradient(
  backend: WebGPUBackend,
  dy: tf.TensorInfo,
  z: tf.TensorInfo,
  variant: { activation: LinearActivation; stored: Stored },
): tf.TensorInfo {
  const size = sizeOf(dy.shape);
  return dispatch(backend, activationGradientProgram(variant), {
    inputs: { dy, z },
    outputs: { dz: tensorOf(variant.stored, dy.shape) },
    params: { size },
    workgroups: elementWorkgroups(size),
  }).dz;
}
