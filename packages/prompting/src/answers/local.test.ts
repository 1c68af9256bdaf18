import { fileURLToPath } from 'node:url';
import { generateText } from '@headwise/text';
import { load } from '@headwise/text/node';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import {
  byPattern,
  chainOfThought,
  countVotes,
  definePrompt,
  localModel,
  runStep,
  selfConsistency,
} from '../index.js';

const loaded = await load(fileURLToPath(new URL('../goldens/llama', import.meta.url)));
const model = localModel(loaded);
afterAll(() => loaded.model.params.dispose());
const options = { temperature: 0.9, maxNewTokens: 3 };

test('self-consistency: each sample is the text of its seed, the same at every call, and the most frequent answer wins', async () => {
  const extract = byPattern(/[a-z]/i, { which: 'first' });
  const prompt = 'The license';
  const before = tf.memory().numTensors;
  const settings = { ...options, extract, samples: 6, seed: 40 };
  const { value, votes, samples } = await selfConsistency(model, prompt, settings);
  expect(tf.memory().numTensors).toBe(before);
  expect(samples.map(({ seed }) => seed)).toEqual([40, 41, 42, 43, 44, 45]);
  const { model: network, tokenizer } = loaded;
  expect(samples[2]!.text).toBe(
    await generateText(network, tokenizer, prompt, { ...options, seed: 42 }),
  );
  expect(new Set(samples.map(({ text }) => text)).size).toBeGreaterThan(2);
  expect(votes).toEqual(countVotes(samples.map(({ text }) => extract(text))));
  expect(value).toBe(votes[0]?.value);
  expect(await selfConsistency(model, prompt, settings)).toEqual({ value, votes, samples });
});

test('self-consistency refuses what would vote on nothing', async () => {
  const extract = byPattern(/\d+/);
  const of = (more: object) =>
    selfConsistency(model, 'The', { samples: 2, seed: 1, extract, ...options, ...more });
  await expect(of({ samples: 0 })).rejects.toThrow(
    'samples is 0; expected a whole number of at least 1',
  );
  // As a model's generation_config.json without do_sample decides.
  await expect(of({ temperature: undefined as never })).rejects.toThrow('temperature is undefined');
  await expect(of({ temperature: 0 })).rejects.toThrow(
    'temperature is 0 for 2 samples, which would all be the same; expected a greater one',
  );
});

test('a chain of thought through a model: prompts as it reads them, within its context, the same for the same seed', async () => {
  const ask = definePrompt({
    name: 'ask',
    text: '{{context}} Question: {{question}}',
    slots: { question: { whole: true } },
  });
  const values = { context: 'The license applies to the Work. '.repeat(40), question: 'Which?' };
  const step = chainOfThought(ask, { maxNewTokens: 4 });
  const { values: made, records } = await runStep(step, values, model, { seed: 3 });
  expect(records).toHaveLength(2);
  for (const { prompt, promptTokens, cuts } of records) {
    expect(promptTokens).toBe(loaded.tokenizer.encode(prompt as string).ids.length);
    expect(promptTokens).toBeLessThanOrEqual(256 - 4);
    expect(promptTokens).toBeGreaterThan(256 - 4 - 20);
    expect(cuts.at(-1)).toMatchObject({ slot: 'context', unit: 'characters' });
    expect(prompt).toContain('Question: Which?');
  }
  expect((await runStep(step, values, model, { seed: 3 })).values).toEqual(made);
});
