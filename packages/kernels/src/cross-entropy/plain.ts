import * as tf from '@tensorflow/tfjs';
import type { CheckedCrossEntropy } from './options.js';

/** Cross-entropy without one-hot labels in plain operations: the path of other backends. */
export function crossEntropyPlain(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  { labelSmoothing, ignoreIndex, zLoss }: CheckedCrossEntropy,
): tf.Tensor1D {
  const [rows, vocabulary] = logits.shape;
  return tf.tidy(() => {
    const counted = tf.notEqual(labels, ignoreIndex); // [N]
    const known = tf.where(counted, labels, tf.zerosLike(labels));
    const at = tf.stack([tf.range(0, rows, 1, 'int32'), known], 1); // [N, 2]
    const weight = counted.toFloat();
    return tf.customGrad((logits, save) => {
      const scores = logits as tf.Tensor2D;
      const logSum = tf.logSumExp(scores, 1); // [N]
      (save as tf.GradSaveFunc)([scores, logSum, at, weight]);
      let loss = logSum.sub(tf.gatherND(scores, at).mul(1 - labelSmoothing));
      if (labelSmoothing > 0) loss = loss.sub(scores.mean(1).mul(labelSmoothing));
      if (zLoss > 0) loss = loss.add(logSum.square().mul(zLoss));
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [scores, logSum, at, weight] = saved as [
          tf.Tensor2D,
          tf.Tensor1D,
          tf.Tensor2D,
          tf.Tensor1D,
        ];
        return tf.tidy(() => {
          const d = dy.mul(weight);
          const ofSoftmax = d.mul(logSum.mul(2 * zLoss).add(1));
          const dense = scores.sub(logSum.expandDims(1)).exp().mul(ofSoftmax.expandDims(1));
          const picked = tf.scatterND(at, d.mul(1 - labelSmoothing), [rows, vocabulary]);
          const smooth = d.mul(labelSmoothing / vocabulary).expandDims(1);
          return labelSmoothing > 0 ? dense.sub(picked).sub(smooth) : dense.sub(picked);
        });
      };
      return { value: loss.mul(weight), gradFunc };
    })(logits) as tf.Tensor1D;
  });
}
