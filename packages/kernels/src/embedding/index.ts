import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkIds } from '../ids/index.js';
import type { IdSpace } from '../ids/space.js';
import { PackedWeight } from '../packed-linear/pack.js';
import { gatherRowsGradient } from './gradient.js';
import { gatherPackedRows, gatherPackedRowsKernel } from './packed.js';
import { gatherRowsPlain } from './plain.js';
import { gatherRowsGradientKernel, gatherRowsKernel } from './webgpu.js';

/**
 * Rows of a table by their numbers; the gradient adds up the rows of equal numbers, in a fixed order.
 *
 * @param table `[V, D]`, or packed from the layout `out-in`; a packed one has no gradient
 * @param ids any shape, int32, each in [0, V)
 * @param space the vocabulary, for errors; `trusted` skips the check of ids that are in range by construction
 * @returns `[...ids, D]`
 * @throws ShapeError unless the table is a matrix, InputError unless the ids are int32, and as `checkIds` does for one
 * out of range; the row of one that only the device has is NaN
 */
export function gatherRows(
  table: tf.Tensor2D | PackedWeight,
  ids: tf.Tensor,
  space?: IdSpace | 'trusted',
): tf.Tensor {
  const packed = table instanceof PackedWeight;
  if (!packed) {
    checkShape('gatherRows: table', table.shape, ['V', 'D']);
    checkNotEmpty('gatherRows: table', table);
  }
  checkNotEmpty('gatherRows: ids', ids);
  checkType('gatherRows: ids', ids, 'int32');
  const [count, width] = packed ? [table.out, table.in] : table.shape;
  if (space !== 'trusted') {
    checkIds(ids, space ?? { name: 'gatherRows: id', count, of: `the table of ${count} rows` });
  }
  return tf.tidy(() => {
    const flat = ids.flatten(); // [N]
    if (packed) return gatherPackedRows(table, flat).reshape([...ids.shape, width]);
    const rows = hasKernel('headwise/GatherRows')
      ? runKernel('headwise/GatherRows', { table, ids: flat }, { count })[0]!
      : gatherRowsPlain(table, flat);
    return rows.reshape([...ids.shape, width]);
  });
}

/** Makes `gatherRows` use its WebGPU kernels. */
export function registerGatherRows(): void {
  registerWebGPUKernel('headwise/GatherRows', gatherRowsKernel);
  registerWebGPUKernel('headwise/GatherPackedRows', gatherPackedRowsKernel);
  registerWebGPUKernel('headwise/GatherRowsGradient', gatherRowsGradientKernel);
  if (!tf.getGradient('headwise/GatherRows')) tf.registerGradient(gatherRowsGradient);
}
