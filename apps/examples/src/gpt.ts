import { MultiHeadAttention, masks } from '@headwise/attention';
import { type LanguageModel, ParamStore } from '@headwise/core';
import { start } from '@headwise/kernels';
import { Embedding, FeedForward, LayerNorm } from '@headwise/layers';
import { LearnedPosition } from '@headwise/positions';
import { AdamW, causalLanguageModel, constantRate, train } from '@headwise/training';
import { Decoder, PreNormBlock } from '@headwise/transformer';

await start();

const [dim, vocabSize, maxLength, params] = [64, 256, 128, new ParamStore({ seed: 1 })];
const tokens = new Embedding(params.at('tokens'), { count: vocabSize, dim });
const positions = new LearnedPosition(params.at('positions'), { maxLength, dim });
const block = (p: ParamStore) =>
  new PreNormBlock({
    norm1: new LayerNorm(p.at('norm1'), { dim }),
    mix: new MultiHeadAttention(p.at('attn'), { dim, heads: 4, mask: masks.causal }),
    norm2: new LayerNorm(p.at('norm2'), { dim }),
    mlp: new FeedForward(p.at('mlp'), { dim, hidden: 4 * dim }),
  });
const blocks = [0, 1].map((i) => block(params.at('blocks').at(i)));
const decoder = new Decoder({ blocks, norm: new LayerNorm(params.at('norm'), { dim }) });
const forward: LanguageModel['forward'] = (ids, ctx) =>
  tokens.scores(decoder.forward(positions.forward(tokens.forward(ids, ctx), ctx), ctx));
const gpt: LanguageModel = { vocabSize, maxLength, forward };

const text = new TextEncoder().encode('Call me Ishmael. '); // a byte is a token
const [inputs, targets] = [Int32Array.from(text.slice(0, -1)), Int32Array.from(text.slice(1))];
const run = train({
  objective: causalLanguageModel(gpt),
  params: params.named(),
  optimizer: new AdamW(params.named()),
  schedule: constantRate(0.003),
  batches: { at: () => ({ inputs, targets, shape: [1, inputs.length] }) },
  steps: 20,
});
const losses: number[] = [];
for await (const { loss } of run) losses.push(loss);
console.log(params.count(), losses[0]! > 5, losses.at(-1)! < 1); // 124672 true true
