import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';
import { decodeAttention } from './index.js';

const sizes = [
  { heads: 12, queries: 1, length: 256, width: 64 },
  { heads: 12, queries: 1, length: 1024, width: 64 },
  { heads: 12, queries: 4, length: 1024, width: 64 },
  { heads: 12, queries: 1, length: 2048, width: 64 },
];

/** One step of decoding over a full cache, against the same in stock operations. */
export const workloads: Workload[] = sizes.map(({ heads, queries, length, width }) => ({
  name: `decode-attention/B1H${heads}Tq${queries}T${length}D${width}`,
  backends: ['webgpu'] as const,
  prepare: () => {
    const q = gaussian([1, heads, queries, width], 1);
    const [k, v] = [gaussian([1, heads, length, width], 2), gaussian([1, heads, length, width], 3)];
    const halves = { k: packed(k), v: packed(v) };
    const hidden = tf.tidy(() =>
      tf
        .sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0))
        .mul(-1e9)
        .slice(length - queries),
    );
    const stock = () =>
      tf.tidy(() => {
        const scores = tf.matMul(q.mul(width ** -0.5), k, false, true);
        return tf.matMul(tf.softmax(queries > 1 ? scores.add(hidden) : scores), v);
      });
    return {
      ours: () => decodeAttention(q, k, v, { length }),
      peers: { 'from f16': () => decodeAttention(q, halves.k, halves.v, { length }), stock },
      dispose: () => tf.dispose([q, k, v, halves, hidden]),
    };
  },
}));

/** Rows as halves, two in a word. */
function packed(x: tf.Tensor): tf.Tensor {
  const [batch, heads, length, width] = x.shape as [number, number, number, number];
  const rows = tf.zeros([batch, heads, length, width / 2], 'int32');
  const unused = tf.zerosLike(rows);
  runKernel(
    'headwise/AppendKeysValues',
    { k: x, v: x, cacheK: rows, cacheV: unused },
    { position: 0, sinks: 0, ring: length },
  );
  unused.dispose();
  return rows;
}
