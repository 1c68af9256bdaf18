import type { LanguageModel } from '@headwise/core';
import { createModel } from '@headwise/models';
import { describeBackends } from '@headwise/testing';
import { expect, test } from 'vitest';
import { generate } from './generate.js';
import type { GenerateOptions } from './options.js';
import { PrefixCache } from './prefix-cache/prefix-cache.js';
import { RunningBatch } from './running-batch.js';
import type { RunningSequence } from './running-sequence.js';

const trained = 16;
/** Rules whose frequencies change beyond the trained length. */
const rules = {
  dynamic: { rope_type: 'dynamic', factor: 2 },
  longrope: {
    rope_type: 'longrope',
    factor: 2,
    short_factor: [1, 1.2, 1.5],
    long_factor: [3, 4, 5],
    original_max_position_embeddings: trained,
  },
} as const;

const greedy = { temperature: 0, maxNewTokens: 4 };
const ids = (length: number, step: number) => Array.from({ length }, (_, i) => (i * step + 3) % 61);
// Below the trained length, beyond it, and across it while they grow; two of them begin alike.
const prompts = [ids(11, 7), ids(24, 7), ids(15, 11), ids(21, 7)];

async function alone(network: LanguageModel, prompt: number[], options: GenerateOptions) {
  const ids: number[] = [];
  for await (const id of generate(network, prompt, options)) ids.push(id);
  return ids;
}

describeBackends('frequencies that follow the length of a sequence', () => {
  for (const [name, rule] of Object.entries(rules)) {
    test(`${name}: those of others in a batch, and of earlier prompts, change no token`, async () => {
      const { network, params } = createModel(
        {
          model_type: 'llama',
          vocab_size: 61,
          hidden_size: 24,
          intermediate_size: 28,
          num_hidden_layers: 1,
          num_attention_heads: 4,
          num_key_value_heads: 2,
          max_position_embeddings: name === 'dynamic' ? trained : 2 * trained,
          initializer_range: 0.5,
          rope_scaling: rule,
        },
        { seed: 2 },
      );
      const expected: number[][] = [];
      for (const prompt of prompts) expected.push(await alone(network, prompt, greedy));
      expect(new Set(expected.map(String)).size).toBe(prompts.length);
      const prefixCache = new PrefixCache(network);
      for (const options of [{}, { prefixCache }]) {
        const batch = new RunningBatch(network, options);
        const sequences: RunningSequence[] = [];
        // The first three join together, the others later.
        for (const prompt of prompts.slice(0, 3)) sequences.push(batch.add(prompt, greedy));
        await batch.step();
        for (const prompt of prompts.slice(3)) sequences.push(batch.add(prompt, greedy));
        while (batch.size > 0) await batch.step();
        batch.dispose();
        expect(sequences.map(({ tokens }) => tokens.map(({ id }) => id))).toEqual(expected);
      }
      // What the long ones share with the first is not theirs.
      expect(prefixCache.match(prompts[1]!)).toBeLessThanOrEqual(11);
      expect(await alone(network, prompts[1]!, { ...greedy, prefixCache })).toEqual(expected[1]);
      prefixCache.dispose();
      params.dispose();
    });
  }
});
