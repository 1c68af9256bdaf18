import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { loadFloats, type ProductForm, type Tiling } from './form.js';
import { tilingFor } from './tiling.js';

interface BatchedVariant {
  tiling: Tiling;
  added: boolean;
}

const batchedProgram = variants(
  ({ tiling, added }: BatchedVariant) => `${tiling.key}/${added}`,
  ({ tiling, added }) =>
    defineProgram({
      label: 'headwise/BatchedProduct',
      enable: tiling.enable,
      inputs: {
        a_values: 'f32',
        b_values: 'f32',
        ...(added ? { added: 'f32' } : {}),
      } as Record<'a_values' | 'b_values' | 'added', ElementType>,
      outputs: { c_values: 'f32' },
      params: {
        rows: 'u32',
        columns: 'u32',
        inner: 'u32',
        steps: 'u32',
        ownRows: 'u32',
        paddedRows: 'u32',
        aStep: 'u32',
        bMatrix: 'u32',
        bStep: 'u32',
        bColumn: 'u32',
        factor: 'f32',
        addedFactor: 'f32',
      },
      wgsl: /* wgsl */ `
        var<private> matrix: u32;
        fn begin_tile(row: u32) { matrix = row / params.paddedRows; }
        fn a_start(row: u32) -> u32 {
          let own = min(row - matrix * params.paddedRows, params.ownRows - 1u);
          return (matrix * params.ownRows + own) * params.inner;
        }
        fn b_start(column: u32) -> u32 { return matrix * params.bMatrix + column * params.bColumn; }
        fn load_a(start: u32, k: u32) -> f32 { return a_values[start + k]; }
        ${loadFloats('b_values', tiling)}
        fn store(row: u32, column: u32, sum: f32) {
          let own = row - matrix * params.paddedRows;
          if (own >= params.ownRows) { return; }
          let i = (matrix * params.ownRows + own) * params.columns + column;
          c_values[i] = params.factor * sum ${added ? '+ params.addedFactor * added[i]' : ''};
        }
        ${tiling.wgsl()}
      `,
    }),
);

/**
 * `C = f A B + f' D` of each of `N` pairs of matrices, in one dispatch.
 *
 * @param a `[N, M, K]`
 * @param b `[N, K, P]`, or `[N, P, K]` if transposed
 * @param options `factor` f, default 1; `added` D, like C; `addedFactor` f'; `tilingOf`: another choice than the device's
 * @returns `[N, M, P]`
 */
export function batchedProduct(
  backend: WebGPUBackend,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  options: {
    transposed?: boolean | undefined;
    factor?: number | undefined;
    added?: tf.TensorInfo | undefined;
    addedFactor?: number | undefined;
    tilingOf?: ((form: ProductForm) => Tiling) | undefined;
  } = {},
): tf.TensorInfo {
  const { transposed = false, factor = 1, added, addedFactor = 0 } = options;
  const [count, ownRows, inner] = a.shape as [number, number, number];
  const columns = b.shape[transposed ? 1 : 2]!;
  const form = { value: 'f32', pack: 1, columnSums: false, batched: true } as const;
  const contiguous = transposed ? 'inner' : 'columns';
  const { tilingOf = () => tilingFor(backend, form, ownRows, contiguous) } = options;
  const tiling = tilingOf(form);
  const paddedRows = Math.ceil(ownRows / tiling.rows!) * tiling.rows!;
  const program = batchedProgram({ tiling, added: added !== undefined });
  const { c_values: c } = dispatch(backend, program, {
    inputs: { a_values: a, b_values: b, added: added! },
    outputs: { c_values: { shape: [count, ownRows, columns], dtype: 'float32' } },
    params: {
      rows: count * paddedRows,
      columns,
      inner,
      steps: inner,
      ownRows,
      paddedRows,
      aStep: 1,
      bMatrix: inner * columns,
      bStep: transposed ? 1 : columns,
      bColumn: transposed ? inner : 1,
      factor,
      addedFactor,
    },
    workgroups: tiling.workgroups(count * paddedRows, columns),
  });
  return c;
}
