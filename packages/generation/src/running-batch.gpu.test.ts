import { fileURLToPath } from 'node:url';
import { type LanguageModel, readTensor } from '@headwise/core';
import { languageModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { cases, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { batchScoresOf } from './batch-scores.js';
import { generate } from './generate.js';
import golden from './goldens/beams.json' with { type: 'json' };
import type { GenerateOptions } from './options.js';
import { RunningBatch } from './running-batch.js';
import type { RunningSequence } from './running-sequence.js';
import { beamSearch } from './search/beam-search.js';
import { StepRows } from './step-rows.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));
const load = async (name: string) =>
  languageModel(await loadModel(folderFiles(`${goldens}/${name}`)));

/** Of unequal lengths, one and more than eight of them: a step of eight rows and one of four. */
const lengths = [5, 1, 3, 9, 2, 7, 4, 6, 8, 3];
const promptsFor = ({ vocabSize }: LanguageModel) =>
  lengths.map((length, n) => Array.from({ length }, (_, i) => (n * 31 + i * 17 + 5) % vocabSize));
const optionsOf = (n: number): GenerateOptions => ({
  maxNewTokens: 3 + (n % 5),
  ...(n % 2 === 0 ? { temperature: 0 } : { temperature: 0.8, topK: 20, seed: n }),
  ...(n === 4 ? { repetitionPenalty: 1.3 } : {}),
});

const models = ['mistral', 'gpt2', 'llama-gqa-llama3', 'bloom'];
for (const name of cases(models, (name) => name === 'mistral')) {
  test(`${name}: sequences that join and leave the fused step come out as alone`, async () => {
    const { network, params } = await load(name);
    const prompts = promptsFor(network);
    const before = tf.memory().numTensors;
    const batch = new RunningBatch(network);
    const sequences: RunningSequence[] = [];
    const join = (count: number) => {
      for (const prompt of prompts.slice(sequences.length, sequences.length + count)) {
        sequences.push(batch.add(prompt, optionsOf(sequences.length)));
      }
    };
    for (const joining of [3, 0, 6, 1]) {
      join(joining);
      await batch.step();
    }
    while (batch.size > 0) await batch.step();
    batch.dispose();
    expect(tf.memory().numTensors).toBe(before);
    for (const [n, prompt] of prompts.entries()) {
      const alone: number[] = [];
      for await (const id of generate(network, prompt, optionsOf(n))) alone.push(id);
      expect(
        sequences[n]!.tokens.map(({ id }) => id),
        `prompt ${n}`,
      ).toEqual(alone);
    }
    params.dispose();
  });
}

test('scores of rows are those of the layers, also after sequences left, were doubled and joined', async () => {
  const { network, params } = await load('gpt2');
  const prompts = promptsFor(network);
  const scores = batchScoresOf(network, 'f32');
  expect(scores).toBeInstanceOf(StepRows);
  const expectScores = async (rows: tf.Tensor2D, sequences: readonly (readonly number[])[]) => {
    for (const [n, ids] of sequences.entries()) {
      const expected = tf.tidy(() =>
        network
          .forward(tf.tensor2d([...ids], [1, ids.length], 'int32'))
          .slice([0, ids.length - 1, 0], [1, 1, -1])
          .reshape([network.vocabSize]),
      );
      await expectClose(rows.slice([n, 0], [1, -1]).reshape([-1]), expected, { ratio: 1e-5 });
    }
    await readTensor(rows);
    rows.dispose();
  };
  let sequences = prompts.slice(0, 3);
  await expectScores(scores.after([], sequences), sequences);
  scores.reorder([2, 0, 2, 2]);
  sequences = [2, 0, 2, 2].map((n, i) => [...sequences[n]!, 7 + i]);
  const joining = prompts.slice(3, 5);
  await expectScores(scores.after([7, 8, 9, 10], joining), [...sequences, ...joining]);
  scores.dispose();
  params.dispose();
});

test('beam search by the fused step finds the sequences of Hugging Face', async () => {
  const { network, params } = await load('gpt2');
  const one = golden.cases.find(({ model }) => model === 'gpt2')!;
  const config = one.config as Record<string, unknown>;
  const options = {
    beams: config.num_beams as number,
    stopIds: config.eos_token_id as number[],
    maxNewTokens: config.max_new_tokens as number,
  };
  const prompts = one.prompts.slice(0, 3);
  const found = await beamSearch(network, prompts, options);
  for (const [n, { sequences }] of one.alone.slice(0, 3).entries()) {
    expect(found[n]!.map(({ ids }) => ids)).toEqual(sequences);
  }
  params.dispose();
});
