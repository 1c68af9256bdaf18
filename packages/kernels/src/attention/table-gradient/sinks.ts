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

/** `−Σ e^(sink − log-sum-exp) D` over the queries of each head; one group of lanes a head, in a fixed order. */
const sinkProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/AttentionSinkGradient',
    enable: rowGroupExtensions(group),
    inputs: { sinks: 'f32', rows: 'vec4f' },
    outputs: { gradient: 'f32' },
    params: { heads: 'u32', queries: 'u32', rowsOfHead: 'u32' },
    wgsl: /* wgsl */ `
      ${rowSum(group)}
      ${perRow(
        group.lanes,
        'params.heads',
        /* wgsl */ `
        let head = row;
        let sink = sinks[head];
        var sum = 0.0;
        for (var n = lane; n < params.rowsOfHead; n += ${group.lanes}u) {
          let sequence = n / params.queries;
          let stats = rows[(sequence * params.heads + head) * params.queries + n % params.queries];
          sum -= exp(sink - stats.x - stats.y) * stats.z;
        }
        sum = row_sum(sum, lane);
        if (lane == 0u) { gradient[head] = sum; }
      `,
      )}
    `,
  }),
);

interface Arguments {
  /** `sinks` `[H]`, and the statistics of the rows of queries, `[B, H, Tq, 4]`. */
  inputs: { sinks: tf.TensorInfo; rows: tf.TensorInfo };
  backend: WebGPUBackend;
}

/** @returns the gradient of the sinks, `[H]` */
export function attentionSinkGradientKernel({ inputs, backend }: Arguments): tf.TensorInfo[] {
  const [batch, heads, queries] = inputs.rows.shape as [number, number, number, number];
  const { gradient } = dispatch(backend, sinkProgram(rowGroup(backend)), {
    inputs,
    outputs: { gradient: { shape: [heads], dtype: 'float32' } },
    params: { heads, queries, rowsOfHead: batch * queries },
    workgroups: spread(heads),
  });
  return [gradient];
}
