import { MultiHeadAttention, masks } from '@headwise/attention';
import { type LanguageModel, type Layer, ParamStore } from '@headwise/core';
import { Embedding, FeedForward, LayerNorm } from '@headwise/layers';
import { LearnedPosition } from '@headwise/positions';
import { expectClose } from '@headwise/testing';
import { Decoder, PreNormBlock } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { activationNames, capture } from './capture.js';
import { intervene } from './intervene.js';
import { logitLens } from './logit-lens.js';

const [dim, vocabSize, maxLength] = [8, 11, 16];

/** The first program of the project's README, smaller. */
function built(at: (params: ParamStore, i: number) => ParamStore) {
  const params = new ParamStore({ seed: 1 });
  const tokens = new Embedding(params.at('tokens'), { count: vocabSize, dim });
  const positions = new LearnedPosition(params.at('positions'), { maxLength, dim });
  const block = (p: ParamStore) =>
    new PreNormBlock({
      norm1: new LayerNorm(p.at('norm1'), { dim }),
      mix: new MultiHeadAttention(p.at('attn'), { dim, heads: 4, mask: masks.causal }),
      norm2: new LayerNorm(p.at('norm2'), { dim }),
      mlp: new FeedForward(p.at('mlp'), { dim, hidden: 4 * dim }),
    });
  const blocks = [0, 1].map((i) => block(at(params, i)));
  const decoder = new Decoder({ blocks, norm: new LayerNorm(params.at('norm'), { dim }) });
  const embed: Layer['forward'] = (ids, ctx) => positions.forward(tokens.forward(ids, ctx), ctx);
  const forward: LanguageModel['forward'] = (ids, ctx) =>
    tokens.scores(decoder.forward(embed(ids, ctx), ctx));
  const gpt: LanguageModel = { vocabSize, maxLength, forward };
  return { gpt, blocks, embed, params };
}

const ids = tf.tensor2d([[1, 5, 2, 7]], undefined, 'int32');

test('blocks of a model that is built by hand have names of their own', async () => {
  const { gpt, blocks, embed, params } = built((params, i) => params.at('blocks').at(i));
  const names = activationNames(gpt, ids).filter((name) => /\.(mid|resid)$/.test(name));
  expect(names).toEqual(['blocks.0.mid', 'blocks.0.resid', 'blocks.1.mid', 'blocks.1.resid']);
  const captured = capture(gpt, ids, '**.resid');
  const first = blocks[0]!.forward(embed(ids));
  await expectClose(captured.get('blocks.0.resid'), await first.data());
  await expectClose(captured.get('blocks.1.resid'), await blocks[1]!.forward(first).data());
  captured.dispose();
  const lens = await logitLens(gpt, ids, { top: 2 });
  expect(lens.map(({ name }) => name)).toEqual(['blocks.0.resid', 'blocks.1.resid']);
  params.dispose();
});

test('two blocks whose activations have one name are refused', async () => {
  // Parameters lie by kind, so that the parts of a block have nothing of their paths in common.
  const { gpt, params } = built((params, i) => {
    const at = (name: string | number) => params.at(name).at(i);
    return { at } as ParamStore;
  });
  const message =
    "two blocks show an activation named 'resid'; expected blocks whose parameters have distinct paths";
  expect(() => capture(gpt, ids, 'resid')).toThrow(message);
  expect(() => intervene(gpt, ids, { resid: (x) => x })).toThrow(message);
  await expect(logitLens(gpt, ids)).rejects.toThrow(message);
  // What else there is can be watched.
  capture(gpt, ids, 'attn.1.pattern').dispose();
  params.dispose();
});
