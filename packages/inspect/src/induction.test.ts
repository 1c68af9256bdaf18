import '@tensorflow/tfjs-backend-wasm';
import { MultiHeadAttention, masks } from '@headwise/attention';
import { initializers, type LanguageModel, ParamStore, Random } from '@headwise/core';
import { Embedding, LayerNorm, Linear } from '@headwise/layers';
import { SinusoidalPosition } from '@headwise/positions';
import { AdamW, causalLanguageModel, constantRate, ignoredTarget, train } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  attentionMaps,
  type HeadScores,
  headScores,
  intervene,
  onHeads,
  zeroAblation,
} from './index.js';

const [vocabSize, length, dim, batchSize] = [16, 20, 32, 16];

/** Two layers of attention with one head each, and nothing else. */
function attentionOnly(params: ParamStore): LanguageModel {
  const tokens = new Embedding(params.at('tokens'), {
    count: vocabSize,
    dim,
    init: initializers.normal(0.5),
  });
  const positions = new SinusoidalPosition({ maxLength: length, dim });
  const layers = [0, 1].map((i) => {
    const p = params.at('blocks').at(i);
    const norm = new LayerNorm(p.at('norm'), { dim });
    const outInit = initializers.normal(1 / Math.sqrt(dim));
    const options = { dim, heads: 1, mask: masks.causal, bias: false, outInit };
    return { norm, attention: new MultiHeadAttention(p.at('attn'), options) };
  });
  const norm = new LayerNorm(params.at('norm'), { dim });
  const head = new Linear(params.at('head'), { in: dim, out: vocabSize });
  const forward: LanguageModel['forward'] = (ids, ctx) =>
    tf.tidy(() => {
      const x = layers.reduce(
        (h, { norm, attention }) => h.add(attention.forward(norm.forward(h), ctx)),
        positions.forward(tokens.forward(ids)),
      );
      return head.forward(norm.forward(x));
    });
  return { vocabSize, maxLength: length, forward };
}

/** Random tokens that begin anew after 5 to 10 of them: no fixed distance predicts the next. */
function induction(random: Random): { inputs: number[]; targets: number[] } {
  const period = 5 + Math.floor(6 * random.next());
  const tokens: number[] = [];
  for (let i = 0; i <= length; i++) {
    tokens.push(i < period ? Math.floor(vocabSize * random.next()) : tokens[i - period]!);
  }
  // Nothing can be known before a token has come again.
  const targets = tokens.slice(1).map((id, i) => (i < period ? ignoredTarget : id));
  return { inputs: tokens.slice(0, -1), targets };
}

let home: string;
beforeAll(async () => {
  home = tf.getBackend();
  await tf.setBackend('wasm');
});
afterAll(async () => {
  await tf.setBackend(home);
});

test('the induction head of a trained model, and what it copies from, are found by their scores', async () => {
  const params = new ParamStore({ seed: 1 });
  const network = attentionOnly(params);
  const random = new Random(5);
  const run = train({
    objective: causalLanguageModel(network),
    params: params.named(),
    optimizer: new AdamW(params.named()),
    schedule: constantRate(0.01),
    batches: {
      at: () => {
        const rows = Array.from({ length: batchSize }, () => induction(random));
        return {
          inputs: Int32Array.from(rows.flatMap(({ inputs }) => inputs)),
          targets: Int32Array.from(rows.flatMap(({ targets }) => targets)),
          shape: [batchSize, length],
        };
      },
    },
    steps: 300,
  });
  for await (const _ of run);

  const unseen = Array.from({ length: 20 }, () => induction(random));
  const input = tf.tensor2d(
    unseen.map(({ inputs }) => inputs),
    [20, length],
    'int32',
  );
  const scores: HeadScores[][] = [];
  for (const [sequence, { inputs }] of unseen.entries()) {
    const maps = await attentionMaps(network, input, { sequence });
    scores.push(headScores(maps, inputs));
  }
  const average = (layer: 0 | 1, name: 'previousToken' | 'induction') =>
    scores.reduce((sum, heads) => sum + heads[layer]![name], 0) / scores.length;
  const found = {
    first: { previousToken: average(0, 'previousToken'), induction: average(0, 'induction') },
    second: { previousToken: average(1, 'previousToken'), induction: average(1, 'induction') },
  };
  expect(found.second.induction).toBeGreaterThan(0.6);
  expect(found.first.induction).toBeLessThan(0.4);
  expect(found.first.previousToken).toBeGreaterThan(2 * found.second.previousToken);

  const accuracy = async (logits: tf.Tensor) => {
    const best = await logits.argMax(-1).data();
    const wanted = unseen.flatMap(({ targets }) => targets);
    const known = wanted.flatMap((target, i) => (target === ignoredTarget ? [] : [i]));
    return known.filter((i) => best[i] === wanted[i]).length / known.length;
  };
  expect(await accuracy(network.forward(input))).toBeGreaterThan(0.75);
  const ablated = intervene(network, input, { 'blocks.1.attn.heads': onHeads([0], zeroAblation) });
  expect(await accuracy(ablated)).toBeLessThan(0.3);
  params.dispose();
}, 60_000);
