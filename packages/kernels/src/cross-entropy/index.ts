import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';

/**
 * The negative log-likelihood of each row's label, from logits, without one-hot labels.
 *
 * `loss[n] = log Σ_v exp(logits[n, v]) − logits[n, labels[n]]`, in nats; gradient `softmax − onehot`.
 *
 * @param logits `[N, V]`
 * @param labels `[N]`, int32, each in [0, V)
 * @returns `[N]`
 * @throws ShapeError where the number of labels differs from the number of rows
 */
export function sparseCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const [rows, vocabulary] = logits.shape;
  checkShape('sparseCrossEntropy: labels', labels.shape, [rows]);
  return tf.tidy(() => {
    const at = tf.stack([tf.range(0, rows, 1, 'int32'), labels.toInt()], 1); // [N, 2]
    return tf.customGrad((logits, save) => {
      const scores = logits as tf.Tensor2D;
      const logSum = tf.logSumExp(scores, 1); // [N]
      (save as tf.GradSaveFunc)([scores, logSum, at]);
      return {
        value: logSum.sub(tf.gatherND(scores, at)),
        gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
          const [scores, logSum, at] = saved as [tf.Tensor2D, tf.Tensor1D, tf.Tensor2D];
          return tf.tidy(() =>
            scores
              .sub(logSum.expandDims(1))
              .exp()
              .mul(dy.expandDims(1))
              .sub(tf.scatterND(at, dy, [rows, vocabulary])),
          );
        },
      };
    })(logits) as tf.Tensor1D;
  });
}
