import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import { perRow, type RowGroup, rowGroup, rowGroupKey } from '../dispatch/row-group.js';
import { zeros } from '../dispatch/transfer.js';
import { sortedOrder } from './sort.js';

/** One group of lanes an id. */
const gatherProgram = variants(rowGroupKey, ({ lanes }: RowGroup) =>
  defineProgram({
    label: 'headwise/GatherRows',
    inputs: { table: 'f32', ids: 'i32' },
    outputs: { y: 'f32' },
    params: { rows: 'u32', width: 'u32', count: 'i32', nan: 'f32' },
    wgsl: /* wgsl */ `
      ${perRow(
        lanes,
        'params.rows',
        /* wgsl */ `
        let id = ids[row];
        let known = id >= 0 && id < params.count;
        let start = select(0u, u32(id), known) * params.width;
        for (var i = lane; i < params.width; i += ${lanes}u) {
          y[row * params.width + i] = select(params.nan, table[start + i], known);
        }
      `,
      )}
    `,
  }),
);

/**
 * Adds up the rows of equal ids, first to last; where an id's run begins in the sorted order, 64
 * lanes have 64 columns of it.
 */
const scatterProgram = defineProgram({
  label: 'headwise/GatherRowsGradient',
  inputs: { dy: 'f32', order: 'i32', sortedIds: 'i32' },
  outputs: { dTable: 'f32' },
  params: { rows: 'u32', width: 'u32', count: 'i32', columnBlocks: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let index = workgroup.y * count.x + workgroup.x;
      let first = index / params.columnBlocks;
      let column = (index % params.columnBlocks) * 64u + lane;
      if (first >= params.rows || column >= params.width) { return; }
      let id = sortedIds[first];
      if (id < 0 || id >= params.count) { return; }
      if (first > 0u && sortedIds[first - 1u] == id) { return; }
      var sum = 0.0;
      for (var i = first; i < params.rows && sortedIds[i] == id; i++) {
        sum += dy[u32(order[i]) * params.width + column];
      }
      dTable[u32(id) * params.width + column] = sum;
    }
  `,
});

interface ForwardArguments {
  inputs: { table: tf.TensorInfo; ids: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { count: number };
}

/** @returns the rows, `[N, D]` */
export function gatherRowsKernel({ inputs, backend, attrs }: ForwardArguments): tf.TensorInfo[] {
  const rows = inputs.ids.shape[0]!;
  const width = inputs.table.shape[1]!;
  const { y } = dispatch(backend, gatherProgram(rowGroup(backend)), {
    inputs,
    outputs: { y: { shape: [rows, width], dtype: 'float32' } },
    params: { rows, width, count: attrs.count, nan: Number.NaN },
    workgroups: spread(rows),
  });
  return [y];
}

interface GradientArguments {
  inputs: { dy: tf.TensorInfo; ids: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { count: number };
}

/** @returns dTable */
export function gatherRowsGradientKernel({
  inputs,
  backend,
  attrs,
}: GradientArguments): tf.TensorInfo[] {
  const { dy, ids } = inputs;
  const [rows, width] = dy.shape as [number, number];
  const columnBlocks = Math.ceil(width / 64);
  const { order, sortedIds } = sortedOrder(backend, ids);
  const { dTable } = dispatch(backend, scatterProgram, {
    inputs: { dy, order, sortedIds },
    outputs: { dTable: zeros(backend, [attrs.count, width]) },
    params: { rows, width, count: attrs.count, columnBlocks },
    workgroups: spread(rows * columnBlocks),
  });
  backend.disposeData(order.dataId);
  backend.disposeData(sortedIds.dataId);
  return [dTable];
}
