import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { attention } from './index.js';
import { none } from './masks/mask.js';
import { causal } from './masks/order.js';

/** Attention as one writes it with TensorFlow.js; the causal mask is made once. */
function stock(hidden: tf.Tensor | undefined) {
  return (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor =>
    tf.tidy(() => {
      const scores = tf.matMul(q.mul(1 / Math.sqrt(q.shape[3]!)), k, false, true);
      return tf.matMul(tf.softmax(hidden ? scores.add(hidden) : scores), v);
    });
}

interface Size {
  heads: number;
  length: number;
  width: number;
}

function contestants({ heads, length, width }: Size, ordered: boolean, training: boolean) {
  const shape = [1, heads, length, width];
  const inputs = [gaussian(shape, 1), gaussian(shape, 2), gaussian(shape, 3)];
  const dy = gaussian(shape, 4);
  const hidden = ordered
    ? tf.tidy(() => tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)).mul(-1e9))
    : undefined;
  const mask = ordered ? causal : none;
  const run = (f: (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor) =>
    training
      ? () => tf.grads((q, k, v) => f(q!, k!, v!))(inputs, dy)
      : () => f(inputs[0]!, inputs[1]!, inputs[2]!);
  return {
    ours: run((q, k, v) => attention(q, k, v, { mask })),
    peers: { stock: run(stock(hidden)) },
    dispose: () => tf.dispose([...inputs, dy, ...(hidden ? [hidden] : [])]),
  };
}

const sizes: Size[] = [
  { heads: 1, length: 1, width: 64 },
  { heads: 4, length: 16, width: 64 },
  { heads: 4, length: 128, width: 32 },
  { heads: 4, length: 512, width: 64 },
  { heads: 12, length: 1024, width: 64 },
];

export const workloads: Workload[] = sizes.flatMap((size) =>
  [false, true].flatMap((training) =>
    [false, true].map((ordered) => ({
      name: `attention/${training ? 'training' : 'forward'}/${ordered ? 'causal' : 'plain'}/B1H${size.heads}T${size.length}D${size.width}`,
      backends: ['webgpu'] as const,
      prepare: () => contestants(size, ordered, training),
    })),
  ),
);
