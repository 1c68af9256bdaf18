import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { softmax } from './index.js';

function contestants(rows: number, width: number, training: boolean) {
  const [x, dy] = [gaussian([rows, width], 1), gaussian([rows, width], 2)];
  const run = (f: (x: tf.Tensor) => tf.Tensor) =>
    training ? () => tf.grad((x: tf.Tensor) => f(x))(x, dy) : () => f(x);
  return {
    ours: run(softmax),
    peers: { stock: run((x) => tf.softmax(x)) },
    dispose: () => tf.dispose([x, dy]),
  };
}

export const workloads: Workload[] = [
  [1, 1],
  [512, 128],
  [512, 1024],
].flatMap(([rows, width]) =>
  [false, true].map((training) => ({
    name: `softmax/${training ? 'training' : 'forward'}/N${rows}D${width}`,
    backends: ['webgpu'] as const,
    prepare: () => contestants(rows!, width!, training),
  })),
);
