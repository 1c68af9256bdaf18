import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { chunkedCrossEntropy } from './index.js';

/** A head and its loss as one writes them with TensorFlow.js. */
const stock = (hidden: tf.Tensor2D, weight: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor =>
  tf.tidy(() => {
    const logits = tf.matMul(hidden, weight, false, true);
    return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, weight.shape[0]), logits);
  });

function contestants(rows: number, width: number, vocabulary: number) {
  const hidden = gaussian([rows, width], 1) as tf.Tensor2D;
  const weight = gaussian([vocabulary, width], 2) as tf.Tensor2D;
  const labels = tf.tensor1d(
    Int32Array.from({ length: rows }, (_, i) => (i * 7919) % vocabulary),
    'int32',
  );
  const run = (loss: typeof stock) => () => {
    const { value, grads } = tf.valueAndGrads((h, w) =>
      loss(h as tf.Tensor2D, w as tf.Tensor2D, labels),
    )([hidden, weight]);
    return [value, grads];
  };
  return {
    ours: run(chunkedCrossEntropy),
    peers: { stock: run(stock) },
    dispose: () => tf.dispose([hidden, weight, labels]),
  };
}

export const workloads: Workload[] = [
  [1, 8, 2],
  [128, 64, 8192],
  [256, 32, 50_257],
].map(([rows, width, vocabulary]) => ({
  name: `chunked-cross-entropy/training/N${rows}D${width}V${vocabulary}`,
  backends: ['webgpu'],
  prepare: () => contestants(rows!, width!, vocabulary!),
}));
