import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { adamwRule } from './adamw.js';
import { optimizerState } from './index.js';

/** The parameters of a GPT-2 of these sizes: 12 tensors a block. */
function shapesOf(layers: number, dim: number): number[][] {
  const vector = [dim];
  const block = [
    ...[vector, vector, [dim, 3 * dim], [3 * dim], [dim, dim], vector],
    ...[vector, vector, [dim, 4 * dim], [4 * dim], [4 * dim, dim], vector],
  ];
  return Array.from({ length: layers }, () => block).flat();
}

/** Ours decays weights, which TensorFlow.js's Adam does not. */
function contestants(shapes: readonly number[][]) {
  const make = () => shapes.map((shape, i) => tf.tidy(() => tf.variable(gaussian(shape, i))));
  const [mine, theirs] = [make(), make()];
  const gradients = shapes.map((shape, i) => gaussian(shape, i + 1000));
  const state = optimizerState(
    adamwRule({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
    mine.map((variable) => ({ variable, rate: 1, decay: variable.rank > 1 ? 0.01 : 0 })),
  );
  let step = 0;
  const adam = tf.train.adam(1e-3);
  const named = theirs.map(({ name }, i) => ({ name, tensor: gradients[i]! }));
  return {
    ours: () => {
      state.update(gradients, { learningRate: 1e-3, step: ++step });
      return [];
    },
    peers: {
      stock: () => {
        adam.applyGradients(named);
        return [];
      },
    },
    dispose: () => {
      state.dispose();
      adam.dispose();
      tf.dispose([mine, theirs, gradients]);
    },
  };
}

export const workloads: Workload[] = [
  { name: 'adamw/P1', prepare: () => contestants([[1]]) },
  { name: 'adamw/L4D128', prepare: () => contestants(shapesOf(4, 128)) },
  {
    name: 'adamw/L12D128',
    backends: ['webgpu'],
    prepare: () =>
      contestants([...shapesOf(12, 128), [128], [128], [64, 128], [1024, 128], [1], [2]]),
  },
];
