import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { rotary } from './index.js';

/** Rotary embedding as one writes it with TensorFlow.js. */
function stock(x: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [a, b] = tf.split(x, 2, -1);
    return tf.concat([a!.mul(cos).sub(b!.mul(sin)), b!.mul(cos).add(a!.mul(sin))], -1);
  });
}

function contestants([heads, length, width]: readonly number[], training: boolean) {
  const x = gaussian([1, heads!, length!, width!], 1);
  const dy = gaussian(x.shape, 2);
  const angles = gaussian([length!, width! / 2], 3);
  const [cos, sin] = [angles.cos(), angles.sin()] as tf.Tensor2D[];
  const run = (f: (x: tf.Tensor) => tf.Tensor) => (training ? () => tf.grad(f)(x, dy) : () => f(x));
  return {
    ours: run((x) => rotary(x, cos!, sin!)),
    peers: { stock: run((x) => stock(x, cos!, sin!)) },
    dispose: () => tf.dispose([x, dy, angles, cos!, sin!]),
  };
}

export const workloads: Workload[] = [
  [1, 1, 2],
  [12, 512, 64],
  [12, 1024, 64],
].flatMap((size) =>
  [false, true].map((training) => ({
    name: `rotary/${training ? 'training' : 'forward'}/H${size[0]}T${size[1]}D${size[2]}`,
    prepare: () => contestants(size, training),
  })),
);
