import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { linear } from '../linear/index.js';
import { feedForward } from './index.js';

/** A training pass as one operation, against two linear maps. */
function contestants([rows, dim, hidden]: readonly [number, number, number]) {
  const inputs = [
    gaussian([rows, dim], 1),
    gaussian([dim, hidden], 2).mul(0.05),
    gaussian([hidden], 3),
    gaussian([hidden, dim], 4).mul(0.05),
    gaussian([dim], 5),
  ];
  const dy = gaussian([rows, dim], 6);
  const one = (...[x, w, b, v, c]: tf.Tensor[]) => {
    const up = { weight: w as tf.Tensor2D, bias: b as tf.Tensor1D };
    const down = { weight: v as tf.Tensor2D, bias: c as tf.Tensor1D };
    return feedForward(x!, up, down, 'in-out', 'gelu_new');
  };
  const two = (...[x, w, b, v, c]: tf.Tensor[]) => {
    const h = linear(x!, w as tf.Tensor2D, b as tf.Tensor1D, 'in-out', 'gelu_new');
    return linear(h, v as tf.Tensor2D, c as tf.Tensor1D);
  };
  return {
    ours: () => tf.grads(one)(inputs, dy),
    peers: { 'two maps': () => tf.grads(two)(inputs, dy) },
    dispose: () => tf.dispose([...inputs, dy]),
  };
}

const sizes = [
  [512, 128, 512],
  [512, 384, 1536],
] as const;

export const workloads: Workload[] = sizes.map((size) => ({
  name: `feed-forward/training/N${size[0]}D${size[1]}F${size[2]}`,
  backends: ['webgpu'],
  prepare: () => contestants(size),
}));
