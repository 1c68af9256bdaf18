import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { LinearActivation } from './activation.js';
import { linear } from './index.js';

type Map = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) => tf.Tensor;

/** GELU as one writes it with TensorFlow.js. */
function stockGelu(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const inner = x.add(x.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    return x.mul(0.5).mul(inner.tanh().add(1));
  });
}

/** A linear map as one writes it with TensorFlow.js. */
const stock =
  (activation: LinearActivation): Map =>
  (x, weight, bias) =>
    tf.tidy(() => {
      const y = tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D).add(bias);
      return activation === 'gelu_new' ? stockGelu(y) : y;
    });

function contestants(
  [rows, inner, columns]: readonly number[],
  activation: LinearActivation,
  training: boolean,
) {
  const inputs = [
    gaussian([rows!, inner!], 1),
    gaussian([inner!, columns!], 2).mul(0.1),
    gaussian([columns!], 3),
  ];
  const dy = gaussian([rows!, columns!], 4);
  const run = (f: Map) =>
    training
      ? () => tf.grads((x, w, b) => f(x!, w!, b!))(inputs, dy)
      : () => f(inputs[0]!, inputs[1]!, inputs[2]!);
  return {
    ours: run((x, w, b) => linear(x, w as tf.Tensor2D, b as tf.Tensor1D, 'in-out', activation)),
    peers: { stock: run(stock(activation)) },
    dispose: () => tf.dispose([inputs, dy]),
  };
}

const sizes = [
  [1, 1, 1],
  [1, 768, 768],
  [1, 768, 3072],
  [8, 768, 768],
  [16, 64, 64],
  [512, 128, 128],
  [512, 128, 512],
  [512, 512, 128],
  [512, 768, 768],
];

export const workloads: Workload[] = (['none', 'gelu_new'] as const).flatMap((activation) =>
  [false, true].flatMap((training) =>
    sizes.map((size) => ({
      name: `linear/${training ? 'training' : 'forward'}/${activation}/N${size[0]}I${size[1]}O${size[2]}`,
      prepare: () => contestants(size, activation, training),
    })),
  ),
);
