import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { columnSums } from '../column-sums/webgpu.js';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import { storedIn } from '../halves/webgpu.js';
import { asFloat, type Stored } from '../matrix-product/form.js';
import { matrixProduct } from '../matrix-product/product.js';

/** A matrix whose values may be halves, with its sizes. */
interface Rows {
  tensor: tf.TensorInfo;
  shape: readonly [rows: number, columns: number];
}

/**
 * The gradients of a linear map's weight and bias, `xᵀ dz` and the sums of dz over its rows; in one dispatch where both are wanted.
 *
 * @param x `[N, In]`
 * @param dz `[N, Out]`
 * @param options `transposed`: the weight lies `[Out, In]`
 */
export function weightGradients(
  backend: WebGPUBackend,
  x: Rows,
  dz: Rows,
  { weight, bias, transposed }: { weight: boolean; bias: boolean; transposed: boolean },
): { weight?: tf.TensorInfo | undefined; bias?: tf.TensorInfo | undefined } {
  if (!weight) return bias ? { bias: sumOverRows(backend, dz) } : {};
  const options = { columnSums: bias, transposed };
  const [product, sums] = matrixProduct(backend, { ...x, transposed: true }, dz, options);
  return { weight: product, bias: sums };
}

const sumProgram = variants(String, (stored: Stored) =>
  defineProgram({
    label: 'headwise/BiasGradient',
    inputs: { values: stored },
    outputs: { partial: 'f32' },
    params: { rows: 'u32', columns: 'u32', rowsPerSlab: 'u32' },
    wgsl: /* wgsl */ `
      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
        let column = workgroup.x * 64u + lane;
        if (column >= params.columns) { return; }
        let end = min((workgroup.y + 1u) * params.rowsPerSlab, params.rows);
        var sum = 0.0;
        for (var row = workgroup.y * params.rowsPerSlab; row < end; row++) {
          sum += ${asFloat('values[row * params.columns + column]', stored)};
        }
        partial[workgroup.y * params.columns + column] = sum;
      }
    `,
  }),
);

/** The sums of each column, `[Out]`. */
function sumOverRows(backend: WebGPUBackend, { tensor, shape }: Rows): tf.TensorInfo {
  const [rows, columns] = shape;
  const [sum] = columnSums(backend, rows, columns, (slabs, rowsPerSlab) => [
    dispatch(backend, sumProgram(storedIn(tensor)), {
      inputs: { values: tensor },
      outputs: { partial: { shape: [slabs, columns], dtype: 'float32' } },
      params: { rows, columns, rowsPerSlab },
      workgroups: [Math.ceil(columns / 64), slabs],
    }).partial,
  ]);
  return sum!;
}
