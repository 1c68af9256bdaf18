import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { addRmsNorm, rmsNorm } from './index.js';

/** RMS norm as one writes it with TensorFlow.js. */
function stock(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  return tf.tidy(() => x.div(x.square().mean(-1, true).add(1e-6).sqrt()).mul(weight));
}

function contestants(rows: number, width: number, training: boolean) {
  const inputs = [gaussian([rows, width], 1), gaussian([width], 2)];
  const dy = gaussian([rows, width], 4);
  const run = (f: (x: tf.Tensor, w: tf.Tensor) => tf.Tensor) =>
    training ? () => tf.grads((x, w) => f(x!, w!))(inputs, dy) : () => f(inputs[0]!, inputs[1]!);
  return {
    ours: run((x, w) => rmsNorm(x, w)),
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
    name: `rms-norm/${training ? 'training' : 'forward'}/N${rows}D${width}`,
    prepare: () => contestants(rows!, width!, training),
  })),
);

/** A norm after a residual addition, and the sum. */
function residual(rows: number, width: number, training: boolean) {
  const inputs = [gaussian([rows, width], 1), gaussian([rows, width], 2), gaussian([width], 3)];
  const dy = gaussian([rows, width], 4);
  type Norm = (x: tf.Tensor, added: tf.Tensor, w: tf.Tensor) => tf.Tensor[];
  const run = (f: Norm) =>
    training
      ? () => tf.grads((x, a, w) => tf.addN(f(x!, a!, w!)))(inputs, dy)
      : () => f(inputs[0]!, inputs[1]!, inputs[2]!);
  return {
    ours: run((x, added, w) => {
      const { sum, y } = addRmsNorm(x, added, w);
      return [sum, y];
    }),
    peers: {
      stock: run((x, added, w) => {
        const sum = x.add(added);
        return [sum, stock(sum, w)];
      }),
    },
    dispose: () => tf.dispose([inputs, dy]),
  };
}

workloads.push(
  ...[false, true].map((training) => ({
    name: `add-rms-norm/${training ? 'training' : 'forward'}/N512D768`,
    prepare: () => residual(512, 768, training),
  })),
);
