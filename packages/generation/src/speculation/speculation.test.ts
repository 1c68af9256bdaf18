import { fileURLToPath } from 'node:url';
import type { LanguageModel } from '@headwise/core';
import { createModel, languageModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { cases } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import { choices } from '../choices.js';
import { generate } from '../generate.js';
import { generateBatch } from '../generate-batch.js';
import { parseGenerationConfig } from '../generation-config.js';
import golden from '../goldens/greedy.json' with { type: 'json' };
import type { GenerateOptions } from '../options.js';
import { beamSearch } from '../search/beam-search.js';
import { stream } from '../stream.js';
import { draftModel, earlyExit } from './draft-model.js';
import { promptLookup } from './prompt-lookup.js';
import type { Speculation } from './speculation.js';

const goldens = fileURLToPath(new URL('../../../parity/goldens', import.meta.url));

async function collect(
  network: LanguageModel,
  prompt: readonly number[],
  options: GenerateOptions,
) {
  const ids: number[] = [];
  for await (const id of generate(network, prompt, options)) ids.push(id);
  return ids;
}

/** A way to draft, and what it proposed. */
function watched(speculation: Speculation) {
  const drafts: (readonly number[])[] = [];
  const start: Speculation['start'] = (network) => {
    const drafter = speculation.start(network);
    return {
      draft: async (sequence, most) => {
        const ids = await drafter.draft(sequence, most);
        if (ids.length > 0) drafts.push(ids);
        return ids;
      },
      dispose: () => drafter.dispose(),
    };
  };
  return { speculation: { start }, drafts };
}

// The configurations with which transformers drafted too.
const plain = golden.cases.filter(({ model, config }) => {
  return model !== 't5' && model !== 'bart' && !('repetition_penalty' in config);
});
for (const { model: name, config, made } of plain) {
  test(`${name}: drafted tokens leave Hugging Face's greedy sequences as they are`, async () => {
    const { network, params } = languageModel(await loadModel(folderFiles(`${goldens}/${name}`)));
    const before = tf.memory().numTensors;
    const ways = { lookup: promptLookup(), own: draftModel(network), exit: earlyExit(1) };
    for (const [way, given] of Object.entries(ways)) {
      const { speculation, drafts } = watched(given);
      const some = cases(golden.prompts, (_, i) => i % 10 === 1);
      for (const prompt of some) {
        const { options } = parseGenerationConfig(config, 'config');
        const ids = await collect(network, prompt, { ...options, speculation });
        expect(ids, `${way} after ${prompt}`).toEqual(made[golden.prompts.indexOf(prompt)]);
      }
      expect(drafts.length, way).toBeGreaterThan(2);
    }
    expect(tf.memory().numTensors).toBe(before);
    params.dispose();
  }, 600_000);
}

const sizes = { vocab_size: 29, n_positions: 32, n_embd: 12, n_layer: 2, n_head: 3 };
const model = createModel({ model_type: 'gpt2', ...sizes, initializer_range: 0.5 }, { seed: 4 });
const small = createModel({ model_type: 'gpt2', ...sizes, n_layer: 1 }, { seed: 5 });
afterAll(() => {
  model.params.dispose();
  small.params.dispose();
});
const { network } = model;
const prompt = [3, 4, 5, 6, 3, 4, 5, 6, 3, 4];

// Some go on as the prompt repeats itself.
const answers = choices([
  [5, 6, 3, 4, 5, 6, 3, 4, 9],
  [5, 6, 3, 4, 5, 6, 3, 4],
  [5, 6, 3, 4, 5, 6, 7],
  [5, 6, 3, 8, 1, 2, 3, 4, 5, 6],
  [5, 6, 3, 8],
  [12, 5, 6, 3, 4],
]);

const settings: Record<string, GenerateOptions> = {
  sampled: { temperature: 0.9, topP: 0.95, seed: 7 },
  'with penalties': { temperature: 0.8, repetitionPenalty: 1.4, presencePenalty: 0.3, seed: 3 },
  'with n-grams that do not repeat': { seed: 2, noRepeatNgramSize: 2, frequencyPenalty: 0.1 },
  'with a least length and stop ids': { seed: 5, minNewTokens: 4, stopIds: [1, 2, 11, 28] },
  'with forced ids': { seed: 6, forcedLastId: [9, 10], maxNewTokens: 9 },
  'beyond the context': { seed: 9, maxNewTokens: 30 },
  'with a constraint that ends': { seed: 4, temperature: 2, constraint: answers, stopIds: [0] },
  'with a constraint that needs no end token': { temperature: 0, constraint: answers },
  'with processors': {
    seed: 8,
    processors: [
      { device: (scores) => scores.mul(0.7) },
      { host: (scores, sequence) => scores.fill(-9, 0, sequence.length % 5) },
    ],
  },
};

describe('what is drawn is what is drawn without drafts', () => {
  for (const [name, given] of Object.entries(settings)) {
    test(name, async () => {
      const options = { maxNewTokens: 20, ...given };
      const plain = await collect(network, prompt, options);
      const before = tf.memory().numTensors;
      for (const one of [
        promptLookup(),
        draftModel(small.network),
        draftModel(network),
        earlyExit(1),
      ]) {
        const { speculation, drafts } = watched(one);
        expect(await collect(network, prompt, { ...options, speculation })).toEqual(plain);
        expect(drafts.length).toBeGreaterThan(0);
      }
      expect(tf.memory().numTensors).toBe(before);
    });
  }
});

test('a constraint goes back by the wrong tokens of a draft, and cuts drafts to what may come', async () => {
  let starts = 0;
  const constraint = {
    start() {
      starts++;
      return answers.start();
    },
  };
  const lengths: number[] = [];
  const wrong: Speculation = {
    start: () => ({
      draft: (sequence, most) => {
        lengths.push(most);
        // Allowed, then wrong at some place, then forbidden: 28 is in no answer.
        const rest = [5, 6, 3, 4, 5, 6, 3, 4, 9].slice(sequence.length - prompt.length);
        return [...rest.slice(0, 3), 28].slice(0, most);
      },
      dispose: () => {},
    }),
  };
  for (let seed = 0; seed < 6; seed++) {
    const given = { seed, temperature: 3, constraint, stopIds: [0] };
    const plain = await collect(network, prompt, given);
    const before = starts;
    expect(await collect(network, prompt, { ...given, speculation: wrong })).toEqual(plain);
    expect(starts).toBe(before + 1);
  }
  expect(lengths.length).toBeGreaterThan(6);
});

test('a stream has the probabilities of each token, and leaves nothing behind where it is left', async () => {
  const given = { seed: 7, alternatives: 2, maxNewTokens: 12 };
  const read = async (more: GenerateOptions, most = 99) => {
    const tokens = [];
    for await (const token of stream(network, prompt, { ...given, ...more })) {
      tokens.push(token);
      if (tokens.length === most) break;
    }
    return tokens;
  };
  const before = tf.memory().numTensors;
  const plain = await read({});
  const drafted = await read({ speculation: draftModel(network) });
  expect(drafted.map(({ id }) => id)).toEqual(plain.map(({ id }) => id));
  for (const [n, { logProbability }] of drafted.entries()) {
    expect(logProbability).toBeCloseTo(plain[n]!.logProbability, 4);
  }
  expect(await read({ speculation: draftModel(network) }, 2)).toHaveLength(2);
  const signal = AbortSignal.abort();
  expect(await read({ speculation: draftModel(network), signal })).toEqual([]);
  expect(tf.memory().numTensors).toBe(before);
});

test('right drafts are long, wrong ones become rare', async () => {
  const right = watched(draftModel(network));
  await collect(network, [3], { temperature: 0, maxNewTokens: 24, speculation: right.speculation });
  expect(right.drafts.map(({ length }) => length)).toEqual([3, 7, 7, 3]);
  const wrong = watched({
    start: () => ({
      // Never what is drawn: the model draws this id at no place.
      draft: (_, most) => Array<number>(most).fill(28),
      dispose: () => {},
    }),
  });
  const ids = await collect(network, [3], {
    temperature: 0,
    maxNewTokens: 30,
    suppressIds: [28],
    speculation: wrong.speculation,
  });
  expect(ids).toHaveLength(30);
  expect(wrong.drafts.length).toBeLessThan(6);
});

test('where nothing can be drawn at a drafted place, the error is that of a single token', async () => {
  const given: GenerateOptions = {
    temperature: 0,
    maxNewTokens: 12,
    processors: [
      {
        host: (scores, { length }) => {
          if (length === prompt.length + 3) scores.fill(Number.NEGATIVE_INFINITY);
        },
      },
    ],
  };
  const run = async (more: GenerateOptions) => {
    const ids: number[] = [];
    const all = async () => {
      for await (const id of generate(network, prompt, { ...given, ...more })) ids.push(id);
    };
    await expect(all()).rejects.toThrow('scores of row 0 are −∞');
    return ids;
  };
  const before = tf.memory().numTensors;
  const plain = await run({});
  expect(plain).toHaveLength(3);
  expect(await run({ speculation: draftModel(network) })).toEqual(plain);
  expect(tf.memory().numTensors).toBe(before);
});

test('an abort in mid-stream and a deadline end it', async () => {
  const speculation = draftModel(network);
  const controller = new AbortController();
  const ids: number[] = [];
  const given = { speculation, signal: controller.signal, maxNewTokens: 20 };
  for await (const id of generate(network, prompt, given)) {
    ids.push(id);
    if (ids.length === 2) controller.abort();
  }
  expect(ids).toHaveLength(2);
  expect(await collect(network, prompt, { speculation, maxTime: 0 })).toHaveLength(1);
});

test('bad drafts, drafters and combinations are named', async () => {
  const refused: [GenerateOptions, string][] = [
    [{ speculation: { start: () => ({ draft: () => [29], dispose: () => {} }) } }, 'id 29'],
    [{ speculation: promptLookup(), guidanceScale: 2 }, 'together with guidanceScale 2'],
    [{ speculation: earlyExit(2) }, 'firstLayers: 2 layers of 2'],
    [{ speculation: draftModel({ ...network, vocabSize: 30 }) }, 'has 30 tokens; expected 29'],
  ];
  const before = tf.memory().numTensors;
  for (const [given, message] of refused) {
    await expect(collect(network, [3], given), message).rejects.toThrow(message);
  }
  const speculation = promptLookup();
  await expect(generateBatch(network, [[3]], { speculation })).rejects.toThrow('for a batch');
  await expect(beamSearch(network, [[3]], { beams: 2, speculation })).rejects.toThrow(
    'beam search',
  );
  expect(() => promptLookup({ maxNgram: 1, minNgram: 2 })).toThrow('above maxNgram');
  expect(() => promptLookup({ maxNgram: 0 })).toThrow('expected whole numbers');
  expect(tf.memory().numTensors).toBe(before);
});
