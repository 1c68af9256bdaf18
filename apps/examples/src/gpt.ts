import { causal, MultiHeadAttention } from '@headwise/attention';
import { ParamStore, startBackend } from '@headwise/core';
import { registerKernels } from '@headwise/kernels';
import { Embedding, FeedForward, LayerNorm } from '@headwise/layers';
import { LearnedPosition } from '@headwise/positions';
import { Decoder, PreNormBlock } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';

await startBackend();
registerKernels();

const dim = 64;
const params = new ParamStore({ seed: 1 });
const tokens = new Embedding(params.at('tokens'), { count: 256, dim });
const positions = new LearnedPosition(params.at('positions'), { maxLength: 128, dim });
const block = (p: ParamStore) =>
  new PreNormBlock({
    norm1: new LayerNorm(p.at('norm1'), { dim }),
    mix: new MultiHeadAttention(p.at('attn'), { dim, heads: 4, mask: causal }),
    norm2: new LayerNorm(p.at('norm2'), { dim }),
    mlp: new FeedForward(p.at('mlp'), { dim, hidden: 4 * dim }),
  });
const blocks = [0, 1].map((i) => block(params.at('blocks').at(i)));
const decoder = new Decoder({ blocks, norm: new LayerNorm(params.at('norm'), { dim }) });
const gpt = (ids: tf.Tensor) =>
  tokens.scores(decoder.forward(positions.forward(tokens.forward(ids))));

const logits = gpt(tf.tensor2d([[67, 97, 108, 108]], [1, 4], 'int32'));
console.log(logits.shape, params.count()); // [ 1, 4, 256 ] 124672
