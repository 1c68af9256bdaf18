import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@headwise/core';
import { type HistoryEntry, prepareData as prepareRun, Session } from '@headwise/runs';
import { readCorpus, readRunFile } from '@headwise/runs/node';
import { AdamW, train, warmupCosine } from '@headwise/training';
import { expect, test } from 'vitest';
import { prepareData } from '../data/prepare.js';
import { withContext } from '../data/size-of-data.js';
import { buildModel } from './build.js';
import { presets } from './presets.js';
import { parseRunConfig, type RunConfig } from './run-config.js';
import { configOfRunFile, runFileOf } from './run-file.js';
import { withoutUnused } from './settings.js';

const work = mkdtempSync(join(tmpdir(), 'headwise-exchange-'));
const text = Array.from({ length: 80 }, (_, i) => `the ${i % 7} whales saw ${i % 5} ships.`).join(
  '\n',
);
const training = { steps: 3, batchSize: 2, validateEvery: 3, sampleEvery: 3 };
const model = { dim: 16, heads: 2, layers: 1, context: 12, position: 'rotary', norm: 'rms' };
const configs = [
  { data: { source: 'file', file: 'a.txt', tokenizer: 'character' }, model, training },
  { data: { source: 'copy', length: 3 }, model: { ...model, context: 64 }, training },
].map((config) => parseRunConfig(config));

/** The losses that the lab's preparation, model and schedule make. */
async function labLosses(given: RunConfig): Promise<number[]> {
  const config = withContext(given);
  const data = await prepareData(config, text);
  const { seed, weightDecay, learningRate, minLearningRate, warmupSteps, steps, maxNorm } =
    config.training;
  const { network, params } = buildModel(config.model, data.tokenizer.vocabSize, seed);
  const optimizer = new AdamW(params.named(), { beta2: 0.99, weightDecay });
  const losses: number[] = [];
  const totalSteps = Math.max(warmupSteps, steps);
  const schedule = warmupCosine({
    peak: learningRate,
    floor: minLearningRate,
    warmupSteps,
    totalSteps,
  });
  const run = train({
    network,
    params: params.named(),
    optimizer,
    schedule,
    batches: data.batches,
    steps,
    maxNorm,
    random: new Random(seed),
  });
  for await (const { loss } of run) losses.push(loss);
  optimizer.dispose();
  params.dispose();
  return losses;
}

/** The losses that the command line's reading, preparation and session make of a file on disk. */
async function fileLosses(path: string): Promise<number[]> {
  const config = await readRunFile(path);
  const corpus = 'corpus' in config.data ? join(work, config.data.corpus) : undefined;
  const data = await prepareRun(config, { text: corpus && (await readCorpus(corpus)) });
  const noted: HistoryEntry[] = [];
  const storage = {
    state: async () => undefined,
    rewind: async () => ({ validated: false }),
    note: (entry: HistoryEntry) => void noted.push(entry),
    save: async () => {},
  };
  const session = await Session.open({ config, data, storage });
  while (await session.advance());
  session.dispose();
  return noted.flatMap((entry) => ('loss' in entry ? [entry.loss] : []));
}

test('a run that the lab exports makes the same losses on the command line, and comes back as it was', async () => {
  writeFileSync(join(work, 'a.txt'), text);
  for (const [i, config] of configs.entries()) {
    const path = join(work, `${i}.json`);
    writeFileSync(path, JSON.stringify(runFileOf(config)));
    const back = configOfRunFile(await readRunFile(path));
    expect(withoutUnused(back)).toEqual(withoutUnused(config));
    const losses = await fileLosses(path);
    expect(losses).toHaveLength(3);
    expect(losses).toEqual(await labLosses(config));
  }
});

test('a file of the command line makes the same losses in the lab', async () => {
  writeFileSync(join(work, 'a.txt'), text);
  const path = join(work, 'cli.json');
  const file = {
    model: { family: 'gpt2', dim: 16, heads: 2, layers: 1, context: 12, dropout: 0.1 },
    tokenizer: { kind: 'byte-bpe', vocabSize: 270 },
    data: { corpus: 'a.txt' },
    training: { steps: 3, batchSize: 2, learningRate: 0.01, warmupSteps: 2, seed: 5 },
  };
  writeFileSync(path, JSON.stringify(file));
  expect(await fileLosses(path)).toEqual(await labLosses(configOfRunFile(file)));
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
  const beta2 = { ...file.training, beta2: 0.9 };
  expect(() => configOfRunFile({ ...file, training: beta2 })).toThrow("'training.beta2' is 0.9");
});

test("a file of an older lab, which holds the form's settings, is taken", () => {
  for (const config of configs) {
    expect(configOfRunFile(JSON.parse(JSON.stringify(config)))).toEqual(config);
  }
});
