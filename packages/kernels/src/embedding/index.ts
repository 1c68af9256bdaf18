import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';

/**
 * Rows of a table by their numbers; the gradient adds up the rows of equal numbers.
 *
 * @param table `[V, D]`
 * @param ids any shape, int32, each in [0, V); what lies outside gives rows of the backend's choice
 * @returns `[...ids, D]`
 */
export function gatherRows(table: tf.Tensor2D, ids: tf.Tensor): tf.Tensor {
  checkShape('gatherRows: table', table.shape, ['V', 'D']);
  const [, width] = table.shape;
  return tf.tidy(() => {
    const flat = ids.flatten().toInt(); // [N]
    return tf
      .customGrad((table, save) => {
        (save as tf.GradSaveFunc)([flat]);
        const { shape } = table as tf.Tensor2D;
        return {
          value: tf.gather(table as tf.Tensor2D, flat),
          gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
            tf.scatterND(saved[0]!.expandDims(1), dy, shape),
        };
      })(table)
      .reshape([...ids.shape, width]);
  });
}
