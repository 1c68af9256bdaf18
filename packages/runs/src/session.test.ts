import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LanguageModel } from '@headwise/core';
import type { Model } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { readSafetensors } from '@headwise/safetensors';
import { loadTokenizer, tokenizerText } from '@headwise/tokenizers/node';
import { causalLanguageModel, evaluate } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { prepareData } from './data.js';
import { DeviceLosses } from './device-losses.js';
import { newModel } from './model.js';
import { RunFolder } from './node/run-folder.js';
import { parseRunConfig } from './parse-run-config.js';
import type { RunConfig } from './run-config.js';
import { Session } from './session.js';

const work = mkdtempSync(join(tmpdir(), 'headwise-runs-'));
const text = Array.from({ length: 60 }, (_, i) => `the ${i % 7} whales saw ${i % 5} ships.`).join(
  '\n',
);
const training = { steps: 6, batchSize: 2, learningRate: 0.01, checkpointEvery: 2 };
const ofText = { tokenizer: { kind: 'character' }, data: { corpus: 'a.txt' }, training };

/** Trains in a folder, and ends after so many steps of this session. */
async function trainIn(name: string, config: RunConfig, most = Number.POSITIVE_INFINITY) {
  const folder = await RunFolder.inspect(join(work, name), config, { resume: true });
  const data = await prepareData(config, { text, tokenizer: await folder.tokenizer() });
  await folder.create(config, { tokenizer: tokenizerText(data.tokenizer) });
  const session = await Session.open({ config, data, storage: folder });
  await session.begin();
  for (let made = 0; made < most && (await session.advance()); made++);
  session.dispose();
  await folder.release();
  return folder.history;
}

const lossesOf = (history: Awaited<ReturnType<typeof trainIn>>) =>
  history.flatMap((entry) => ('loss' in entry ? [entry.loss] : []));

const models: Record<string, object> = {
  'parts of LLaMA': { dim: 16, heads: 2, layers: 1, context: 12, position: 'rotary', norm: 'rms' },
  'the parts of the main job': {
    ...{ dim: 16, heads: 2, layers: 1, context: 12, position: 'rotary', norm: 'rms' },
    ...{ feedForward: 'relu2', qkNorm: true, embeddingNorm: true, tied: false, init: 'zero' },
  },
  bloom: { context: 12, config: { model_type: 'bloom', hidden_size: 16, n_head: 2, n_layer: 1 } },
  headwise: {
    context: 12,
    config: {
      model_type: 'headwise',
      topology: 'decoder',
      maxLength: 12,
      dim: 16,
      layers: 1,
      embedding: {},
      position: { kind: 'alibi' },
      heads: { count: 2, dropout: 0.1 },
      score: { kind: 'scaled-dot-product' },
      norm: { kind: 'layer' },
      feedForward: { kind: 'plain' },
      block: 'pre-norm',
      head: { kind: 'language-model', tied: true },
    },
  },
};

for (const [name, model] of Object.entries(models)) {
  test(`a run of ${name} that is interrupted makes the losses of one that is not, to the bit`, async () => {
    const config = parseRunConfig({ model, ...ofText });
    const { numTensors } = tf.memory();
    const straight = await trainIn(`${name} straight`, config);
    await trainIn(`${name} broken`, config, 3);
    const resumed = await trainIn(`${name} broken`, config);
    expect(lossesOf(straight)).toHaveLength(6);
    expect(lossesOf(resumed)).toEqual(lossesOf(straight));
    const validations = (history: typeof straight) =>
      history.filter((entry) => 'validation' in entry);
    expect(validations(straight).map(({ step }) => step)).toEqual([0, 6]);
    expect(validations(resumed)).toEqual(validations(straight));
    expect(tf.memory().numTensors).toBe(numTensors);
  });
}

test('a run that averages its weights resumes to the bit, and its folder holds the average', async () => {
  const config = parseRunConfig({
    model: models.bloom,
    ...ofText,
    training: { ...training, emaDecay: 0.9, validateEvery: 2 },
  });
  const straight = await trainIn('averaged straight', config);
  await trainIn('averaged broken', config, 3);
  const measured = (history: typeof straight) =>
    history.flatMap((entry) => ('validation' in entry ? [entry.validation.loss] : []));
  const resumed = await trainIn('averaged broken', config);
  expect(lossesOf(resumed)).toEqual(lossesOf(straight));
  expect(measured(resumed)).toEqual(measured(straight));
  // What is measured is what is saved, which is not what the next step begins with.
  const tokenizer = await loadTokenizer(join(work, 'averaged broken'));
  const data = await prepareData(config, {
    text,
    tokenizer: { bytes: new TextEncoder().encode(tokenizerText(tokenizer)), name: 'tokenizer' },
  });
  const lossOf = async ({ network, params }: Model) => {
    const objective = causalLanguageModel(network as LanguageModel);
    const { loss } = await evaluate(objective, data.validation());
    params.dispose();
    return loss;
  };
  const saved = await lossOf(await loadModel(join(work, 'averaged broken')));
  expect(saved).toBe(measured(resumed).at(-1));
  const bytes = await (
    await RunFolder.inspect(join(work, 'averaged broken'), config, { resume: true })
  ).state();
  const own = newModel(config, tokenizer.vocabSize);
  const state = readSafetensors(bytes!.bytes);
  for (const [path, variable] of Object.entries(own.params.named())) {
    tf.tidy(() =>
      variable.assign(tf.tensor(state.get(`params.${path}`).data as Float32Array, variable.shape)),
    );
  }
  expect(await lossOf(own)).not.toBe(saved);
  await expect(
    RunFolder.inspect(
      join(work, 'averaged broken'),
      parseRunConfig({ model: models.bloom, ...ofText }),
      {
        resume: true,
      },
    ),
  ).rejects.toThrow(
    "the run there has 'training.emaDecay' 0.9; the configuration given has undefined",
  );
});

test('a task is measured and sampled when the file says so, with the right answers beside', async () => {
  const config = parseRunConfig({
    model: { dim: 8, heads: 2, layers: 1 },
    data: { task: 'copy', length: 2 },
    training: { ...training, validateEvery: 3 },
    samples: { every: 4 },
  });
  const history = await trainIn('task', config);
  const steps = (key: string) => history.flatMap((entry) => (key in entry ? [entry.step] : []));
  expect(steps('validation')).toEqual([0, 3, 6]);
  expect(steps('sample')).toEqual([4, 4, 4, 6, 6, 6]);
  for (const entry of history) {
    if ('sample' in entry) {
      expect(entry.sample.prompt).toBe(`${entry.sample.expected}|`);
      expect(entry.sample.text).toHaveLength(2);
    }
  }
});

test('a run survives three losses of the device in a row, and more with checkpoints between them', () => {
  const losses = new DeviceLosses();
  expect([0, 0, 0, 5, 5, 5, 5].map((step) => losses.survives(step))).toEqual([
    true,
    true,
    true,
    true,
    true,
    true,
    false,
  ]);
});
