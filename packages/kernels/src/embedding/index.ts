import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { gatherRowsGradient } from './gradient.js';
import { gatherRowsPlain } from './plain.js';
import { gatherRowsGradientKernel, gatherRowsKernel } from './webgpu.js';

/**
 * Rows of a table by their numbers; the gradient adds up the rows of equal numbers, in a fixed order.
 *
 * @param table `[V, D]`
 * @param ids any shape, int32, each in [0, V); on WebGPU another one gives a row of zeros
 * @returns `[...ids, D]`
 * @throws ShapeError unless the table is a matrix, InputError unless the ids are int32
 */
export function gatherRows(table: tf.Tensor2D, ids: tf.Tensor): tf.Tensor {
  checkShape('gatherRows: table', table.shape, ['V', 'D']);
  checkNotEmpty('gatherRows: table', table);
  checkNotEmpty('gatherRows: ids', ids);
  checkType('gatherRows: ids', ids, 'int32');
  const [count, width] = table.shape;
  return tf.tidy(() => {
    const flat = ids.flatten(); // [N]
    const rows = hasKernel('headwise/GatherRows')
      ? runKernel('headwise/GatherRows', { table, ids: flat }, { count })[0]!
      : gatherRowsPlain(table, flat);
    return rows.reshape([...ids.shape, width]);
  });
}

/** Makes `gatherRows` use its WebGPU kernels. */
export function registerGatherRows(): void {
  registerWebGPUKernel('headwise/GatherRows', gatherRowsKernel as never);
  registerWebGPUKernel('headwise/GatherRowsGradient', gatherRowsGradientKernel as never);
  if (!tf.getGradient('headwise/GatherRows')) tf.registerGradient(gatherRowsGradient);
}
