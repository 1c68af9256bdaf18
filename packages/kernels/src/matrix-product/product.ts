import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { storedIn } from '../halves/webgpu.js';
import { activationWgsl, type LinearActivation } from '../linear/activation.js';
import { disposeCopies, laidFor, loadRows, stepOfB } from './by-steps.js';
import {
  elementsOf,
  loadFloats,
  ofEach,
  type ProductForm,
  type Stored,
  storeSums,
  type Tiling,
  widthOfA,
  widthOfB,
  widthOfC,
} from './form.js';
import { tilingFor } from './tiling.js';

/** A matrix that lies in a buffer row by row, as it is or transposed. */
export interface Operand {
  tensor: tf.TensorInfo;
  transposed?: boolean | undefined;
  /** Of the matrix, where its tensor holds halves, two in a word; default the tensor's own. */
  shape?: readonly [rows: number, columns: number] | undefined;
}

interface ProductVariant {
  tiling: Tiling;
  columnSums: boolean;
  added: boolean;
  /** Multiplies the result by the slope of this activation at other values. */
  slope: LinearActivation;
  a: Stored;
  b: Stored;
}

const productProgram = variants(
  ({ tiling, columnSums, added, slope, a, b }: ProductVariant) =>
    `${tiling.key}/${columnSums}/${added}/${slope}/${a}/${b}`,
  ({ tiling, columnSums, added, slope, a, b }) =>
    defineProgram({
      label: 'headwise/MatrixProduct',
      enable: tiling.enable,
      inputs: {
        a_values: elementsOf(a, widthOfA(tiling)),
        b_values: elementsOf(b, widthOfB(tiling)),
        ...(added ? { added: elementsOf('f32', widthOfC(tiling)) } : {}),
        ...(slope === 'none' ? {} : { before: elementsOf('f32', widthOfC(tiling)) }),
      } as Record<'a_values' | 'b_values' | 'added' | 'before', ElementType>,
      outputs: {
        c_values: elementsOf('f32', widthOfC(tiling)),
        ...(columnSums ? { sums: 'f32' } : {}),
      } as Record<'c_values' | 'sums', ElementType>,
      params: {
        rows: 'u32',
        columns: 'u32',
        inner: 'u32',
        steps: 'u32',
        aRow: 'u32',
        aStep: 'u32',
        bStep: 'u32',
        bColumn: 'u32',
        cRow: 'u32',
        cColumn: 'u32',
      },
      wgsl: /* wgsl */ `
        fn a_start(row: u32) -> u32 { return row * params.aRow; }
        fn b_start(column: u32) -> u32 { return column * params.bColumn; }
        ${loadRows('a_values', tiling, a)}
        ${loadFloats('b_values', tiling, b)}
        ${slope === 'none' ? '' : activationWgsl[slope]}
        ${storeSums(
          tiling,
          'row * params.cRow + column * params.cColumn',
          `c_values[i] = sum${slope === 'none' ? '' : ` * ${ofEach('slope', 'before[i]', widthOfC(tiling))}`}${added ? ' + added[i]' : ''};`,
        )}
        ${columnSums ? 'fn store_sum(column: u32, sum: f32) { sums[column] = sum; }' : ''}
        ${tiling.wgsl()}
      `,
    }),
);

/**
 * `C = A B` of matrices in any orientation; a copy is made only where a tiling needs it and it pays.
 *
 * @param options `columnSums`: also the sums of B's columns; `transposed`: C is stored transposed;
 * `added`: a tensor like C that is added to it; `before`: values like C's before an activation, whose slope C is multiplied by; `tilingOf`: another choice than the device's
 * @returns C, and the sums if asked for
 */
export function matrixProduct(
  backend: WebGPUBackend,
  a: Operand,
  b: Operand,
  options: {
    columnSums?: boolean | undefined;
    transposed?: boolean | undefined;
    added?: tf.TensorInfo | undefined;
    before?: { z: tf.TensorInfo; activation: LinearActivation } | undefined;
    tilingOf?: ((form: ProductForm, contiguous: 'inner' | 'columns') => Tiling) | undefined;
  } = {},
): tf.TensorInfo[] {
  const { columnSums = false, transposed = false, added, before } = options;
  const [aRows, aColumns] = shapeOf(a);
  const [bRows, bColumns] = shapeOf(b);
  const [rows, inner] = a.transposed ? [aColumns, aRows] : [aRows, aColumns];
  const columns = b.transposed ? bRows : bColumns;
  const contiguous = b.transposed ? 'inner' : 'columns';
  const aLines = {
    ...{ tensor: a.tensor, count: rows, inner },
    contiguous: a.transposed ? ('lines' as const) : ('inner' as const),
  };
  const bLines = {
    ...{ tensor: b.tensor, count: columns, inner },
    contiguous: b.transposed ? ('inner' as const) : ('lines' as const),
  };
  const { tilingOf = (form) => tilingFor(backend, form, rows, contiguous, [aLines, bLines]) } =
    options;
  const wide = (b.transposed ? inner : columns) % 4 === 0;
  const fours = !transposed && columns % 4 === 0;
  const tiling = tilingOf({ value: 'f32', pack: 1, columnSums, wide, fours }, contiguous);
  const program = productProgram({
    ...{ tiling, columnSums, added: added !== undefined, slope: before?.activation ?? 'none' },
    ...{ a: storedIn(a.tensor), b: storedIn(b.tensor) },
  });
  const z = before?.z;
  const [left, right] = [
    laidFor(backend, tiling.along?.a, aLines),
    laidFor(backend, tiling.along?.b, bLines),
  ];
  const { c_values: c, sums } = dispatch(backend, program, {
    inputs: { a_values: left.tensor, b_values: right.tensor, added: added!, before: z! },
    outputs: {
      c_values: { shape: transposed ? [columns, rows] : [rows, columns], dtype: 'float32' },
      sums: { shape: [columns], dtype: 'float32' },
    },
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
      cRow: transposed ? 1 : columns,
      cColumn: transposed ? rows : 1,
    },
    workgroups: tiling.workgroups(rows, columns),
  });
  disposeCopies(backend, left, right);
  return columnSums ? [c, sums] : [c];
}

const shapeOf = ({ tensor, shape }: Operand): readonly [number, number] =>
  shape ?? (tensor.shape as [number, number]);

interface Arguments {
  inputs: { a: tf.TensorInfo; b: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { transposeA: boolean; transposeB: boolean };
}

/** @returns C */
export const matrixProductKernel = ({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] =>
  matrixProduct(
    backend,
    { tensor: inputs.a, transposed: attrs.transposeA },
    { tensor: inputs.b, transposed: attrs.transposeB },
  );
