import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import { hasKernel, runKernel } from '../dispatch/register.js';
import { perRow, type RowGroup, rowGroup, rowGroupKey } from '../dispatch/row-group.js';
import type { PackedFormat, PackedWeight } from '../packed-linear/pack.js';
import { unpackWeightReference } from '../packed-linear/reference.js';
import { loadWords, scalesInput, timesOutputScale } from '../packed-linear/webgpu.js';

/**
 * Rows of a packed table by their numbers: unpacked columns of the packed weight.
 *
 * @param table `[D, V]`, packed
 * @param ids `[N]`, int32
 * @returns `[N, D]`
 */
export function gatherPackedRows(table: PackedWeight, ids: tf.Tensor1D): tf.Tensor2D {
  const { words, scales, format, group, in: width, out: count } = table;
  if (!hasKernel('headwise/GatherPackedRows')) {
    return tf.tidy(() => {
      const columns = (of: tf.Tensor2D) => tf.gather(of, ids, 1);
      const own = {
        ...table,
        out: ids.size,
        words: columns(words),
        scales: scales && columns(scales),
      };
      return unpackWeightReference(own).transpose<tf.Tensor2D>();
    });
  }
  const inputs = { words, ids, ...(scales ? { scales } : {}) };
  const [rows] = runKernel('headwise/GatherPackedRows', inputs, { format, group, width, count });
  return rows as tf.Tensor2D;
}

interface Variant {
  format: PackedFormat;
  lanes: RowGroup;
}

/** One group of lanes an id. */
const gatherProgram = variants(
  ({ format, lanes }: Variant) => `${format}/${rowGroupKey(lanes)}`,
  ({ format, lanes: { lanes } }) =>
    defineProgram({
      label: 'headwise/GatherPackedRows',
      inputs: { words: 'u32', ids: 'i32', ...scalesInput(format) } as {
        words: 'u32';
        ids: 'i32';
        scales: 'f32';
      },
      outputs: { y: 'f32' },
      params: { rows: 'u32', width: 'u32', count: 'i32', stride: 'u32', group: 'u32', nan: 'f32' },
      wgsl: /* wgsl */ `
        ${loadWords(format, { pack: 1 })}
        ${perRow(
          lanes,
          'params.rows',
          /* wgsl */ `
          let id = ids[row];
          let known = id >= 0 && id < params.count;
          let column = select(0u, u32(id), known);
          for (var k = lane; k < params.width; k += ${lanes}u) {
            let value = load_b(column, k)[0]${timesOutputScale(format)};
            y[row * params.width + k] = select(params.nan, value, known);
          }
        `,
        )}
      `,
    }),
);

interface Arguments {
  inputs: { words: tf.TensorInfo; ids: tf.TensorInfo; scales?: tf.TensorInfo | undefined };
  backend: WebGPUBackend;
  attrs: { format: PackedFormat; group: number; width: number; count: number };
}

/** @returns the rows, `[N, D]` */
export function gatherPackedRowsKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { words, ids, scales } = inputs;
  const { format, group, width, count } = attrs;
  const rows = ids.shape[0]!;
  const { y } = dispatch(backend, gatherProgram({ format, lanes: rowGroup(backend) }), {
    inputs: { words, ids, scales: scales! },
    outputs: { y: { shape: [rows, width], dtype: 'float32' } },
    params: { rows, width, count, stride: words.shape[1]!, group, nan: Number.NaN },
    workgroups: spread(rows),
  });
  return [y];
}
