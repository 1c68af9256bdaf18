import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { appendKeysValues } from '../decode-attention/append.js';
import { decodeAttention } from '../decode-attention/index.js';
import { attendStep, type StepScoring } from './attend.js';

const sizes = [
  { heads: 12, kvHeads: 12, length: 256, width: 64 },
  { heads: 12, kvHeads: 4, length: 256, width: 64 },
  { heads: 12, kvHeads: 4, length: 2048, width: 64 },
  { heads: 32, kvHeads: 8, length: 2048, width: 128 },
];

/** A layer's attention in the recorded step, with rotary positions: query heads that share keys together, or one by one. */
export const workloads: Workload[] = sizes.map(({ heads, kvHeads, length, width }) => ({
  name: `attend-step/H${heads}Hkv${kvHeads}T${length}D${width}`,
  backends: ['webgpu'] as const,
  prepare: () => {
    const qkv = gaussian([1, (heads + 2 * kvHeads) * width], 1) as tf.Tensor2D;
    const room = (seed: number) => gaussian([1, kvHeads, length, width], seed);
    const cache = { k: room(2), v: room(3) };
    const angles = gaussian([length, width / 2], 4) as tf.Tensor2D;
    const turn = { cos: tf.cos(angles), sin: tf.sin(angles), layout: 'half-split' as const };
    const q = gaussian([1, heads, 1, width], 5);
    const added = {
      k: gaussian([1, kvHeads, 1, width], 6),
      v: gaussian([1, kvHeads, 1, width], 7),
    };
    const row = {
      ...turn,
      cos: turn.cos.slice([0, 0], [1, -1]),
      sin: turn.sin.slice([0, 0], [1, -1]),
    };
    const scoring: StepScoring = { heads, headDim: width, scale: width ** -0.5, turn };
    const state = tf.tensor2d([[length - 1, 9, 0, 0]], [1, 4], 'int32');
    return {
      ours: () => attendStep(qkv, cache, state, scoring),
      peers: {
        ...(heads === kvHeads
          ? {}
          : { 'one head a workgroup': () => attendStep(qkv, cache, state, scoring, 1) }),
        // Without the split of q, k and v.
        'append, then decodeAttention': () => {
          appendKeysValues(cache, added, { position: length - 1, turn: row });
          return decodeAttention(q, cache.k, cache.v, { length, turn: row });
        },
      },
      dispose: () =>
        tf.dispose([qkv, q, added, cache, angles, turn.cos, turn.sin, row.cos, row.sin, state]),
    };
  },
}));
