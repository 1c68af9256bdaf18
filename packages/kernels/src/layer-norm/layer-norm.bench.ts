import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { addLayerNorm, layerNorm } from './index.js';

/** Layer norm as one writes it with TensorFlow.js. */
function stock(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const { mean, variance } = tf.moments(x, -1, true);
    return x.sub(mean).div(variance.add(1e-5).sqrt()).mul(weight).add(bias);
  });
}

function contestants(rows: number, width: number, training: boolean) {
  const inputs = [gaussian([rows, width], 1), gaussian([width], 2), gaussian([width], 3)];
  const dy = gaussian([rows, width], 4);
  const run = (f: (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
    training
      ? () => tf.grads((x, w, b) => f(x!, w!, b!))(inputs, dy)
      : () => f(inputs[0]!, inputs[1]!, inputs[2]!);
  return {
    ours: run((x, w, b) => layerNorm(x, w, b)),
    peers: { stock: run(stock) },
    dispose: () => tf.dispose([inputs, dy]),
  };
}

export const workloads: Workload[] = [
  [1, 128],
  [512, 128],
  [512, 768],
].flatMap(([rows, width]) =>
  [false, true].map((training) => ({
    name: `layer-norm/${training ? 'training' : 'forward'}/N${rows}D${width}`,
    prepare: () => contestants(rows!, width!, training),
  })),
);

/** A norm after a residual addition, and the sum. */
function residual(rows: number, width: number, training: boolean) {
  const inputs = [
    ...[gaussian([rows, width], 1), gaussian([rows, width], 2)],
    ...[gaussian([width], 3), gaussian([width], 4)],
  ];
  const dy = gaussian([rows, width], 5);
  type Norm = (x: tf.Tensor, added: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => tf.Tensor[];
  const run = (f: Norm) =>
    training
      ? () => tf.grads((x, a, w, b) => tf.addN(f(x!, a!, w!, b!)))(inputs, dy)
      : () => f(inputs[0]!, inputs[1]!, inputs[2]!, inputs[3]!);
  return {
    ours: run((x, added, w, b) => {
      const { sum, y } = addLayerNorm(x, added, w, b);
      return [sum, y];
    }),
    peers: {
      stock: run((x, added, w, b) => {
        const sum = x.add(added);
        return [sum, stock(sum, w, b)];
      }),
    },
    dispose: () => tf.dispose([inputs, dy]),
  };
}

workloads.push(
  ...[false, true].map((training) => ({
    name: `add-layer-norm/${training ? 'training' : 'forward'}/N512D768`,
    prepare: () => residual(512, 768, training),
  })),
);
