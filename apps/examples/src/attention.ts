import { attend, FusedProjection, MultiHeadAttention, masks } from '@headwise/attention';
import { ParamStore } from '@headwise/core';
import { KeyValueCache } from '@headwise/decoding';
import { start } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

await start();
const params = new ParamStore({ seed: 1 });
const attention = new MultiHeadAttention(params.at('attn'), {
  dim: 32,
  heads: 4,
  mask: masks.causal,
  projection: FusedProjection,
});

const x = tf.randomNormal([1, 6, 32]); // [B, T, D]
const whole = attention.forward(x);

const cache = new KeyValueCache(); // the same, in two pieces
attention.forward(x.slice([0, 0], [1, 4]), { cache });
const rest = attention.forward(x.slice([0, 4], [1, 2]), { cache });
const difference = await whole.slice([0, 4], [1, 2]).sub(rest).abs().max().data();
console.log(difference[0]! < 1e-5, cache.length); // true 6
cache.dispose();

const seen: string[] = [];
const tap = (name: string, value: tf.Tensor) => void seen.push(`${name} [${value.shape}]`);
attention.forward(x, { tap });
console.log(seen.filter((line) => line.includes('pattern'))); // [ 'attn.pattern [1,4,6,6]' ]

const q = tf.randomNormal([1, 2, 5, 8]); // the function alone: [B, H, T, Dh]
console.log(attend(q, q, q, { mask: masks.causal }).shape); // [ 1, 2, 5, 8 ]
