import * as tf from '@tensorflow/tfjs';

/** Rows by their numbers in plain operations, `[N]` → `[N, D]`: the path of other backends. */
export function gatherRowsPlain(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  return tf.customGrad((table, save) => {
    (save as tf.GradSaveFunc)([ids]);
    const { shape } = table as tf.Tensor2D;
    return {
      value: tf.gather(table as tf.Tensor2D, ids),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.scatterND(saved[0]!.expandDims(1), dy, shape),
    };
  })(table) as tf.Tensor2D;
}
