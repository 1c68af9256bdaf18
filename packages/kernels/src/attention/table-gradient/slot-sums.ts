import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../../dispatch/dispatch.js';
import { defineProgram, variants } from '../../dispatch/program.js';
import {
  perRow,
  type RowGroup,
  rowGroup,
  rowGroupExtensions,
  rowGroupKey,
  rowSum,
} from '../../dispatch/row-group.js';

/** The sum of each row; one group of lanes a row, in a fixed order. */
const slotSumsProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/AttentionTableSums',
    enable: rowGroupExtensions(group),
    inputs: { partial: 'f32' },
    outputs: { sums: 'f32' },
    params: { cells: 'u32', slots: 'u32' },
    wgsl: /* wgsl */ `
      ${rowSum(group)}
      ${perRow(
        group.lanes,
        'params.cells',
        /* wgsl */ `
        let cell = row;
        var sum = 0.0;
        for (var slot = lane; slot < params.slots; slot += ${group.lanes}u) {
          sum += partial[cell * params.slots + slot];
        }
        sum = row_sum(sum, lane);
        if (lane == 0u) { sums[cell] = sum; }
      `,
      )}
    `,
  }),
);

/** The gradient of a table from its parts, `[cells, slots]`, which are freed. @returns `[cells]` */
export function slotSums(backend: WebGPUBackend, partial: tf.TensorInfo): tf.TensorInfo {
  const [cells, slots] = partial.shape as [number, number];
  const { sums } = dispatch(backend, slotSumsProgram(rowGroup(backend)), {
    inputs: { partial },
    outputs: { sums: { shape: [cells], dtype: 'float32' } },
    params: { cells, slots },
    workgroups: spread(cells),
  });
  backend.disposeData(partial.dataId);
  return sums;
}
