import { MultiHeadAttention, masks } from '@headwise/attention';
import { ParamStore } from '@headwise/core';
import { start } from '@headwise/kernels';
import { GatedFeedForward, RMSNorm } from '@headwise/layers';
import { Decoder, PreNormBlock } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';

await start();
const dim = 32;
const params = new ParamStore({ seed: 1 });
const block = (p: ParamStore) =>
  new PreNormBlock({
    norm1: new RMSNorm(p.at('norm1'), { dim }),
    mix: new MultiHeadAttention(p.at('attn'), { dim, heads: 4, bias: false, mask: masks.causal }),
    norm2: new RMSNorm(p.at('norm2'), { dim }),
    mlp: new GatedFeedForward(p.at('mlp'), { dim, hidden: 88 }),
    path: p.path,
  });
const decoder = new Decoder({
  blocks: [0, 1, 2].map((i) => block(params.at('blocks').at(i))),
  norm: new RMSNorm(params.at('norm'), { dim }),
});
console.log(decoder.forward(tf.randomNormal([1, 5, dim])).shape); // [ 1, 5, 32 ]
