import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { rotary } from '../rotary/index.js';
import type { RotaryTables } from '../rotary/tables.js';
import { appendKeysValues } from './append.js';
import { decodeAttention } from './index.js';

const sizes = [
  { heads: 12, queries: 1, length: 256, width: 64 },
  { heads: 12, queries: 1, length: 1024, width: 64 },
  { heads: 12, queries: 4, length: 1024, width: 64 },
  { heads: 12, queries: 1, length: 2048, width: 64 },
];

/** One step of decoding over a full cache, against the same in stock operations. */
const decoding: Workload[] = sizes.map(({ heads, queries, length, width }) => ({
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

/** A layer's part of a token with rotary positions: turned in the append and the load, or before both. */
const turning: Workload[] = [
  { heads: 12, kvHeads: 12, length: 256, width: 64 },
  { heads: 12, kvHeads: 12, length: 1024, width: 64 },
  { heads: 32, kvHeads: 8, length: 1024, width: 128 },
].map(({ heads, kvHeads, length, width }) => ({
  name: `decode-attention/rotary/H${heads}Hkv${kvHeads}T${length}D${width}`,
  backends: ['webgpu'] as const,
  prepare: () => {
    const q = gaussian([1, heads, 1, width], 1);
    const added = {
      k: gaussian([1, kvHeads, 1, width], 2),
      v: gaussian([1, kvHeads, 1, width], 3),
    };
    const room = (seed: number) => gaussian([1, kvHeads, length, width], seed);
    const cache = { k: room(4), v: room(5) };
    const angles = gaussian([1, width / 2], 6);
    const turn: RotaryTables = { cos: angles.cos(), sin: angles.sin(), layout: 'half-split' };
    const turned = (x: tf.Tensor) => rotary(x, turn.cos, turn.sin, turn.layout);
    return {
      ours: () => {
        appendKeysValues(cache, added, { position: length - 1, turn });
        return decodeAttention(q, cache.k, cache.v, { length, turn });
      },
      peers: {
        'turned before': () =>
          tf.tidy(() => {
            appendKeysValues(cache, { ...added, k: turned(added.k) }, { position: length - 1 });
            return decodeAttention(turned(q), cache.k, cache.v, { length });
          }),
      },
      dispose: () =>
        tf.dispose([q, added.k, added.v, cache.k, cache.v, angles, turn.cos, turn.sin]),
    };
  },
}));

export const workloads: Workload[] = [...decoding, ...turning];

/** Rows as halves, two in a word. */
function packed(x: tf.Tensor): tf.Tensor {
  const [batch, heads, length, width] = x.shape as [number, number, number, number];
  const rows = tf.zeros([batch, heads, length, width / 2], 'int32');
  const unused = tf.zerosLike(rows);
  appendKeysValues({ k: rows, v: unused }, { k: x, v: x }, { position: 0 });
  unused.dispose();
  return rows;
}
