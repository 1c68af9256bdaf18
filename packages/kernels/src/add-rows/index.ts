import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { addRowsGradient } from './gradient.js';
import { addRowsReference } from './reference.js';
import { addRowsGradientKernel, addRowsKernel } from './webgpu.js';

/**
 * Adds rows of a table that follow each other to each sequence: `y_bt = x_bt + P_(first + t)`, as of learned positions.
 *
 * One dispatch each way on WebGPU: the gradient of the table sums over sequences, and is 0 where no row was added.
 *
 * @param x `[B, T, D]`
 * @param table `[N, D]`
 * @param first the row that the first token gets
 * @returns `[B, T, D]`
 * @throws ShapeError where widths differ or a size is 0, InputError for rows that the table does not have
 */
export function addRows(x: tf.Tensor, table: tf.Tensor2D, first = 0): tf.Tensor {
  checkShape('addRows: x', x.shape, ['B', 'T', 'D']);
  const [, tokens, width] = x.shape as [number, number, number];
  checkShape('addRows: table', table.shape, ['N', width]);
  const count = table.shape[0];
  if (!(Number.isInteger(first) && first >= 0 && first + tokens <= count)) {
    throw new InputError(
      `addRows: rows ${first} to ${first + tokens} of a table of ${count}; expected rows that it has`,
    );
  }
  checkOperands('addRows', { x, table });
  if (!hasKernel('headwise/AddRows')) return addRowsReference(x, table, first);
  return tf.tidy(() => runKernel('headwise/AddRows', { x, table }, { first, count })[0]!);
}

/** Makes `addRows` use its WebGPU kernels. */
export function registerAddRows(): void {
  registerWebGPUKernel('headwise/AddRows', addRowsKernel);
  registerWebGPUKernel('headwise/AddRowsGradient', addRowsGradientKernel);
  if (!tf.getGradient('headwise/AddRows')) tf.registerGradient(addRowsGradient);
}
