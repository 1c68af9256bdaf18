import {
  additiveScore,
  CrossAttention,
  MultiHeadAttention,
  masks,
  softCapMod,
} from '@headwise/attention';
import { ParamStore } from '@headwise/core';
import { start } from '@headwise/kernels';
import { RotaryPosition, T5Position } from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';

await start();
const params = new ParamStore({ seed: 1 });
const x = tf.randomNormal([1, 6, 32], 0, 1, 'float32', 1); // [B, T, D]

// Eight heads of queries share two of keys; each token sees the three before it and itself.
const local = new MultiHeadAttention(params.at('local'), {
  dim: 32,
  heads: 8,
  kvHeads: 2,
  position: new RotaryPosition({ headDim: 4 }),
  mask: masks.and(masks.causal, masks.slidingWindow(4)),
  mods: [softCapMod(50)],
  sinks: true,
});
console.log(local.forward(x).shape); // [ 1, 6, 32 ]

// Two documents of three tokens in one sequence: the second does not see the first.
const ids = tf.tensor2d([0, 0, 0, 1, 1, 1], [1, 6], 'int32');
const packed = new MultiHeadAttention(params.at('packed'), {
  dim: 32,
  heads: 4,
  position: new T5Position(params.at('bias'), { heads: 4 }),
  mask: masks.and(masks.causal, masks.documents(ids)),
});
const alone = new MultiHeadAttention(params.at('packed'), {
  dim: 32,
  heads: 4,
  position: new T5Position(params.at('bias'), { heads: 4 }),
  mask: masks.causal,
});
const second = x.slice([0, 3, 0], [1, 3, 32]);
const difference = packed.forward(x).slice([0, 3, 0], [1, 3, 32]).sub(alone.forward(second));
console.log((await difference.abs().max().data())[0]! < 1e-5); // true

// Queries from one sequence, keys and values from another, with Bahdanau's score.
const cross = new CrossAttention(params.at('cross'), {
  dim: 32,
  heads: 4,
  kvDim: 20,
  score: additiveScore,
});
const encoded = tf.randomNormal([1, 9, 20], 0, 1, 'float32', 2);
console.log(cross.forward(x, encoded).shape); // [ 1, 6, 32 ]
console.log(Object.keys(params.at('cross').named())[0]); // cross.qProj.weight
