import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { sparseCrossEntropy } from './index.js';

/** The mean loss as one writes it with TensorFlow.js. */
const stock = (logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor =>
  tf.tidy(() => tf.losses.softmaxCrossEntropy(tf.oneHot(labels, logits.shape[1]), logits));

function contestants(rows: number, vocabulary: number, training: boolean) {
  const logits = gaussian([rows, vocabulary], 1) as tf.Tensor2D;
  const labels = tf.tensor1d(
    Int32Array.from({ length: rows }, (_, i) => (i * 7919) % vocabulary),
    'int32',
  );
  const run = (loss: (logits: tf.Tensor2D) => tf.Tensor) =>
    training
      ? () => {
          const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => loss(x as tf.Tensor2D))(logits);
          return [value, grad];
        }
      : () => loss(logits);
  return {
    ours: run((logits) => sparseCrossEntropy(logits, labels).mean()),
    peers: { stock: run((logits) => stock(logits, labels)) },
    dispose: () => tf.dispose([logits, labels]),
  };
}

export const workloads: Workload[] = [
  [1, 2],
  [1, 65],
  [512, 1024],
  [128, 8192],
  [32, 50_257],
].flatMap(([rows, vocabulary]) =>
  [false, true].map((training) => ({
    name: `cross-entropy/${training ? 'training' : 'forward'}/N${rows}V${vocabulary}`,
    prepare: () => contestants(rows!, vocabulary!, training),
  })),
);
