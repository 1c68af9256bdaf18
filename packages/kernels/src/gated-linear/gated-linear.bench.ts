import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { gatedLinear } from './index.js';

/** SwiGLU as one writes it with TensorFlow.js. */
function stock(x: tf.Tensor, gate: tf.Tensor, up: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const g = tf.matMul(x as tf.Tensor2D, gate as tf.Tensor2D);
    return g.mul(g.sigmoid()).mul(tf.matMul(x as tf.Tensor2D, up as tf.Tensor2D));
  });
}

function contestants([rows, inner, out]: readonly number[], training: boolean) {
  const inputs = [
    gaussian([rows!, inner!], 1),
    gaussian([inner!, out!], 2).mul(0.1),
    gaussian([inner!, out!], 3).mul(0.1),
  ];
  const dh = gaussian([rows!, out!], 4);
  const run = (f: typeof stock) =>
    training
      ? () => tf.grads((x, g, u) => f(x!, g!, u!))(inputs, dh)
      : () => f(inputs[0]!, inputs[1]!, inputs[2]!);
  return {
    ours: run((x, gate, up) =>
      gatedLinear(x, { weight: gate as tf.Tensor2D }, { weight: up as tf.Tensor2D }),
    ),
    peers: { stock: run(stock) },
    dispose: () => tf.dispose([inputs, dh]),
  };
}

export const workloads: Workload[] = [
  [1, 1, 1],
  [1, 768, 2048],
  [512, 128, 344],
].flatMap((size) =>
  [false, true].map((training) => ({
    name: `gated-linear/${training ? 'training' : 'forward'}/N${size[0]}I${size[1]}O${size[2]}`,
    prepare: () => contestants(size, training),
  })),
);
