import * as tf from '@tensorflow/tfjs';

/** Rows by their numbers as a product with one-hot rows: the specification. */
export function gatherRowsReference(table: tf.Tensor2D, ids: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [count, width] = table.shape;
    const onehot = tf.equal(ids.flatten().expandDims(1), tf.range(0, count, 1, 'int32')).toFloat(); // [N, V]
    return tf.matMul(onehot as tf.Tensor2D, table).reshape([...ids.shape, width]);
  });
}
