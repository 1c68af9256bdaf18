import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { globalNorm } from './index.js';

/** Clipping as one writes it with TensorFlow.js, up to the scale. */
const stock = (tensors: readonly tf.Tensor[]): tf.Tensor[] =>
  tf.tidy(() => {
    const norm = tf
      .stack(tensors.map((g) => tf.sum(tf.square(g))))
      .sum()
      .sqrt();
    return [norm, tf.minimum(1, tf.div(1, norm.add(1e-6)))];
  });

function contestants(shapes: readonly number[][]) {
  const tensors = shapes.map((shape, i) => gaussian(shape, i));
  return {
    ours: () => {
      const { norm, scale } = globalNorm(tensors, 1);
      return [norm, scale];
    },
    peers: { stock: () => stock(tensors) },
    dispose: () => tf.dispose(tensors),
  };
}

export const workloads: Workload[] = [
  { name: 'global-norm/P1', prepare: () => contestants([[1]]) },
  {
    name: 'global-norm/150x128x128',
    prepare: () => contestants(Array(150).fill([128, 128])),
  },
];
