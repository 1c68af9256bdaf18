import type { LanguageModel } from '@headwise/core';
import { createModel } from '@headwise/models';
import { fullOnly, gpuBytes } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import { choices } from './choices.js';
import { generate } from './generate.js';
import type { GenerateOptions } from './options.js';
import { draftModel, earlyExit } from './speculation/draft-model.js';
import { promptLookup } from './speculation/prompt-lookup.js';

const sizes = { vocab_size: 29, n_positions: 16, n_embd: 12, n_layer: 2, n_head: 3 };
const model = createModel({ model_type: 'gpt2', ...sizes, initializer_range: 0.5 }, { seed: 4 });
afterAll(() => model.params.dispose());
const fused = model.network;
/** The same model without a plan of its step: its layers run. */
const layers: LanguageModel = {
  vocabSize: fused.vocabSize,
  maxLength: fused.maxLength,
  forward: (ids, ctx) => fused.forward(ids, ctx),
};

async function collect(network: LanguageModel, prompt: number[], options: GenerateOptions) {
  const ids: number[] = [];
  for await (const id of generate(network, prompt, options)) ids.push(id);
  return ids;
}

describe('the fused step draws what the layers draw', () => {
  const cases: Record<string, GenerateOptions> = {
    greedy: { temperature: 0 },
    sampled: { temperature: 0.9, topP: 0.95, seed: 7 },
    'with penalties': { temperature: 0.8, repetitionPenalty: 1.4, presencePenalty: 0.3, seed: 3 },
    'with banned ids': { temperature: 0, suppressIds: [3, 4, 5, 6, 7], badWords: [[9], [10]] },
    'with bans that change': {
      seed: 2,
      noRepeatNgramSize: 2,
      minNewTokens: 5,
      stopIds: [1, 2, 11],
      frequencyPenalty: 0.1,
    },
    'after bans that changed': { seed: 5, minNewTokens: 4, stopIds: [28], presencePenalty: 0.2 },
    'with forced ids': { seed: 6, forcedFirstId: 8, forcedLastId: 9 },
    'beyond the longest sequence': { seed: 9, maxNewTokens: 40 },
    'with biases and a source': {
      seed: 8,
      logitBias: new Map([
        [3, 4],
        [4, -2.5],
        [5, Number.NEGATIVE_INFINITY],
      ]),
      encoderRepetitionPenalty: 2.5,
      presencePenalty: 0.5,
    },
    'with a cut-off of each kind': {
      seed: 10,
      topNSigma: 2.5,
      topK: 24,
      topP: 0.97,
      minP: 0.01,
      typicalP: 0.9,
      epsilonCutoff: 0.01,
      etaCutoff: 0.02,
    },
    'with a decay that begins later': {
      seed: 11,
      stopIds: [28, 27],
      lengthDecay: { start: 3, factor: 1.5 },
    },
    'with a constraint': {
      seed: 13,
      constraint: choices([
        [3, 4, 5, 6, 7, 8, 9],
        [3, 4, 28, 6, 1],
        [10, 11],
      ]),
      presencePenalty: 0.5,
      logitBias: new Map([[10, -3]]),
    },
    'with a processor on the device': {
      seed: 12,
      processors: [{ device: (scores) => scores.mul(0.5) }],
      repetitionPenalty: 1.2,
    },
    'with processors on both': {
      seed: 13,
      processors: [
        { device: (scores) => scores.mul(0.5) },
        { host: (scores, sequence) => scores.fill(-9, sequence.at(-1), sequence.at(-1)! + 3) },
      ],
    },
    'with guidance': { seed: 14, guidanceScale: 1.8, negativePrompt: [7, 2] },
    'with a cache of halves': { temperature: 0, storage: 'f16', maxNewTokens: 6 },
  };
  for (const [name, options] of Object.entries(cases)) {
    test(`${name}, one by one and several ahead`, async () => {
      const prompt = name === 'with forced ids' ? [3] : [3, 17, 5];
      const given = { maxNewTokens: 12, ...options };
      const expected = await collect(layers, prompt, given);
      expect(await collect(fused, prompt, { ...given, runAhead: 1 })).toEqual(expected);
      expect(await collect(fused, prompt, { ...given, runAhead: 5 })).toEqual(expected);
      expect(await collect(fused, prompt, given)).toEqual(expected);
    });
  }

  const drafters = {
    lookup: promptLookup(),
    'the model itself': draftModel(fused),
    exit: earlyExit(1),
  };
  for (const [name, speculation] of Object.entries(drafters)) {
    test(`with drafts by ${name}, and nothing is left behind`, async () => {
      for (const option of ['greedy', 'with penalties', 'with a processor on the device']) {
        const given = { maxNewTokens: 12, ...cases[option] };
        const expected = await collect(layers, [3, 17, 5, 3, 17], given);
        const run = async () =>
          expect(await collect(fused, [3, 17, 5, 3, 17], { ...given, speculation })).toEqual(
            expected,
          );
        expect(await left(run)).toEqual(nothing);
      }
    });
  }

  test('tokens after a stop id are dropped, whatever ran ahead', async () => {
    const all = await collect(fused, [1, 2], { seed: 1, maxNewTokens: 10 });
    const stop = all[4]!;
    const cut = all.slice(0, all.indexOf(stop));
    for (const runAhead of [1, 3, 32]) {
      const options = { seed: 1, maxNewTokens: 10, stopIds: [stop], runAhead };
      expect(await collect(fused, [1, 2], options)).toEqual(cut);
    }
  });
});

/** Tensors and bytes in use that a function leaves, after one call to warm up. */
async function left(run: () => Promise<unknown>) {
  await run();
  const before = { tensors: tf.memory().numTensors, bytes: gpuBytes().used };
  await run();
  return {
    tensors: tf.memory().numTensors - before.tensors,
    bytes: gpuBytes().used - before.bytes,
  };
}

const nothing = { tensors: 0, bytes: 0 };

test('an early break and an abort leave nothing behind', async () => {
  const broken = async () => {
    for await (const _ of generate(fused, [1, 2], { runAhead: 4 })) break;
  };
  expect(await left(broken)).toEqual(nothing);
  const aborted = async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let seen = 0;
    for await (const _ of generate(fused, [1, 2], { runAhead: 4, signal })) {
      if (++seen === 2) controller.abort();
    }
    expect(seen).toBe(2);
  };
  expect(await left(aborted)).toEqual(nothing);
});

test('a score that is not a number ends generation with an error that leaves nothing behind', async () => {
  const bad = createModel({ model_type: 'gpt2', ...sizes }, { seed: 4 });
  const bias = bad.params.named()['norm.bias']!;
  tf.tidy(() => bias.assign(tf.fill(bias.shape, Number.NaN)));
  const run = () =>
    expect(collect(bad.network, [1, 2], { runAhead: 4 })).rejects.toThrow(
      'sampleTokens: the score of token 0 in row 0 is NaN or +∞',
    );
  expect(await left(run)).toEqual(nothing);
  bad.params.dispose();
});

const many = (count: number) => async () => {
  const options = { maxNewTokens: count, presencePenalty: 0.1, runAhead: 16 };
  expect(await left(() => collect(fused, [1, 2, 3], options))).toEqual(nothing);
};
test('a hundred tokens leave nothing behind', many(100));
fullOnly('two thousand tokens leave nothing behind', many(2000), 300_000);
