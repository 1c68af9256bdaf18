import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram } from '../dispatch/program.js';

const columnSumProgram = defineProgram({
  label: 'headwise/ColumnSum',
  inputs: { partial: 'f32' },
  outputs: { sum: 'f32' },
  params: { slabs: 'u32', width: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x >= params.width) { return; }
      var total = 0.0;
      for (var slab = 0u; slab < params.slabs; slab++) { total += partial[slab * params.width + id.x]; }
      sum[id.x] = total;
    }
  `,
});

/** Rows of a slab: most tensors are one, which takes no second pass. */
const rowsPerSlab = 4096;

/**
 * Sums over all rows in a fixed order, in one pass or in two, so that the same input gives the same bits.
 *
 * @param partialSums first pass: sums over the rows of each slab, `[slabs, width]` tensors
 * @returns the sums over all rows, `[width]` each
 */
export function columnSums(
  backend: WebGPUBackend,
  rows: number,
  width: number,
  partialSums: (slabs: number, rowsPerSlab: number) => tf.TensorInfo[],
): tf.TensorInfo[] {
  const slabs = Math.ceil(rows / rowsPerSlab);
  return partialSums(slabs, rowsPerSlab).map((partial) => {
    if (slabs === 1) return { ...partial, shape: [width] };
    const { sum } = dispatch(backend, columnSumProgram, {
      inputs: { partial },
      outputs: { sum: { shape: [width], dtype: 'float32' } },
      params: { slabs, width },
      workgroups: [Math.ceil(width / 64)],
    });
    backend.disposeData(partial.dataId);
    return sum;
  });
}
