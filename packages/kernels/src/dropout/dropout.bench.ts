import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { dropout } from './index.js';

function contestants(shape: number[], training: boolean) {
  const [x, dy] = [gaussian(shape, 1), gaussian(shape, 2)];
  const run = (f: (x: tf.Tensor) => tf.Tensor) =>
    training ? () => tf.grad((x: tf.Tensor) => f(x))(x, dy) : () => f(x);
  return {
    ours: run((x) => dropout(x, 0.1, 7)),
    peers: { stock: run((x) => tf.dropout(x, 0.1, undefined, 7)) },
    dispose: () => tf.dispose([x, dy]),
  };
}

export const workloads: Workload[] = [[1], [512, 128], [512, 768]].flatMap((shape) =>
  [false, true].map((training) => ({
    name: `dropout/${training ? 'training' : 'forward'}/${shape.join('x')}`,
    prepare: () => contestants(shape, training),
  })),
);
