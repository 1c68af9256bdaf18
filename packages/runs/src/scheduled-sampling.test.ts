import { type EncoderDecoderModel, Random } from '@headwise/core';
import { meanCrossEntropy, type PairBatch } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { prepareData } from './data.js';
import { parseFinetuneConfig } from './finetune/config.js';
import { Memory, trainOn } from './memory.cases.js';
import { newWork } from './new-work.js';
import { parseRunConfig } from './parse-run-config.js';
import { planRun } from './plan-run.js';
import { sampledShare } from './scheduled-sampling.js';

const words = ['the whale', 'a sailor', 'our boat', 'the sea', 'an old ship'];
const text = Array.from(
  { length: 100 },
  (_, i) => `${words[i % 5]} saw ${words[(i * 3) % 5]}.`,
).join(' ');
const t5 = {
  ...{ model_type: 't5', num_heads: 2, num_layers: 1, d_model: 16, d_kv: 8, d_ff: 32 },
  dropout_rate: 0.1,
};

const run = (scheduledSampling?: object, more: object = {}) =>
  parseRunConfig({
    objective: 'span-corruption',
    model: { config: t5, context: 24 },
    tokenizer: { kind: 'character' },
    data: { corpus: 'a.txt', validationTokens: 60 },
    training: {
      ...{ steps: 4, batchSize: 2, learningRate: 0.02 },
      ...(scheduledSampling && { scheduledSampling }),
    },
    ...more,
  });

test('batches have the share of their step, which rises over the run', async () => {
  const config = run({ schedule: 'linear', from: 0.2, to: 1 });
  const data = await prepareData(config, { text });
  const work = newWork(config, data);
  const shares = [];
  for (let step = 0; step < 6; step++) {
    shares.push(((await work.batches.at(step)) as unknown as PairBatch).sampled);
  }
  for (const [step, share] of [0.2, 0.4, 0.6, 0.8, 1, 1].entries()) {
    expect(shares[step]).toBeCloseTo(share, 12);
  }
  work.optimizer.dispose();
  work.model.params.dispose();
  const { training } = run({ schedule: 'inverse-sigmoid', k: 5, to: 0.5 });
  const sigmoid = sampledShare(training.scheduledSampling, training.steps);
  expect(sigmoid(1e4)).toBe(0.5);
  const exponential = run({ schedule: 'exponential', k: 0.5 }).training.scheduledSampling;
  expect(sampledShare(exponential, 4)(1)).toBe(0.5);
  expect(sampledShare(undefined, 4)(3)).toBe(0);
});

test('a share of 0 makes the losses of teacher forcing to the bit; another makes others and resumes to the bit', async () => {
  const forced = await trainOn(text, run());
  const zero = await trainOn(text, run({ schedule: 'linear', to: 0 }));
  expect(zero.losses).toEqual(forced.losses);
  const sampling = run({ schedule: 'linear', from: 0.5, to: 1, steps: 2 });
  const straight = await trainOn(text, sampling);
  expect(straight.losses[0]).not.toBe(forced.losses[0]);
  const broken = await trainOn(text, sampling, { storage: new Memory(), most: 3 });
  expect(broken.losses).toHaveLength(3);
  const resumed = await trainOn(text, sampling, { storage: broken });
  expect(resumed.losses).toEqual(straight.losses);
});

test('with a share of 1 the decoder of a run reads what it predicts itself', async () => {
  const config = run(
    { schedule: 'linear', from: 1, to: 1 },
    {
      model: { config: { ...t5, dropout_rate: 0, initializer_factor: 20 }, context: 24 },
    },
  );
  const data = await prepareData(config, { text });
  const work = newWork(config, data);
  const network = work.model.network as unknown as EncoderDecoderModel;
  const batch = (await work.batches.at(0)) as unknown as PairBatch;
  const { sources, sourceMask, targets, shape } = batch;
  const [rows, length, width] = shape;
  const encoded = network.encode(tf.tensor2d(sources, [rows, length], 'int32'), {
    attentionMask: tf.tensor2d(sourceMask!, [rows, length], 'int32'),
  });
  const shifted = (ids: ArrayLike<number>) =>
    Int32Array.from({ length: rows * width }, (_, i) => {
      // Padding is no target, and nothing follows it.
      const before = i % width === 0 || targets[i - 1]! < 0 ? network.startId : ids[i - 1]!;
      return before;
    });
  const decoded = (read: Int32Array) =>
    network.decode(tf.tensor2d(read, [rows, width], 'int32'), encoded);
  const right = shifted(targets);
  const own = shifted(await decoded(right).argMax<tf.Tensor>(-1).data());
  expect(own).not.toEqual(right);
  const labels = tf.tensor1d(targets, 'int32');
  const [loss] = await work.objective
    .loss(batch as never, { training: true, random: new Random(1) })
    .data();
  const [expected] = await meanCrossEntropy(decoded(own), labels).data();
  const [forced] = await meanCrossEntropy(decoded(right), labels).data();
  expect(loss).toBeCloseTo(expected!, 4);
  expect(Math.abs(loss! - forced!)).toBeGreaterThan(1e-3);
  work.optimizer.dispose();
  work.model.params.dispose();
});

test('the pass that predicts is over before the peak of the plan', async () => {
  const peak = async (scheduledSampling?: object) => {
    const config = run(scheduledSampling);
    const { tokenizer } = await prepareData(config, { text });
    return (await planRun(config, tokenizer)).peak;
  };
  const forced = await peak();
  expect(await peak({ schedule: 'linear', to: 0 })).toBe(forced);
  // A step that is never recorded holds the ids of the decoder a little shorter.
  expect((await peak({ schedule: 'linear', to: 0.3 })) / forced).toBeCloseTo(1, 2);
});

const refused: [what: string, given: object, more: object, message: string][] = [
  [
    'a schedule that there is none of',
    { schedule: 'cosine', to: 1 },
    {},
    '\'training.scheduledSampling.schedule\' is "cosine"',
  ],
  ['no schedule', { to: 1 }, {}, "'training.scheduledSampling.schedule' is missing"],
  ['no share', { schedule: 'linear' }, {}, "'training.scheduledSampling.to' is missing"],
  [
    'a share above 1',
    { schedule: 'linear', to: 1.5 },
    {},
    "'training.scheduledSampling.to' is 1.5",
  ],
  [
    'a share below 0',
    { schedule: 'linear', from: -1, to: 1 },
    {},
    "'training.scheduledSampling.from' is -1",
  ],
  [
    'no steps',
    { schedule: 'linear', to: 1, steps: 0 },
    {},
    "'training.scheduledSampling.steps' is 0",
  ],
  [
    'k of another schedule',
    { schedule: 'linear', to: 1, k: 2 },
    {},
    "unknown key 'training.scheduledSampling.k'",
  ],
  ['no k', { schedule: 'exponential' }, {}, "'training.scheduledSampling.k' is missing"],
  ['k of 1', { schedule: 'exponential', k: 1 }, {}, "'training.scheduledSampling.k' is 1"],
  [
    'k below 1',
    { schedule: 'inverse-sigmoid', k: 0.5 },
    {},
    "'training.scheduledSampling.k' is 0.5",
  ],
  [
    'a decoder alone',
    { schedule: 'linear', to: 1 },
    { objective: 'causal-lm', model: { dim: 8, heads: 2, layers: 1, context: 8 } },
    "'training.scheduledSampling' is given and 'objective' is 'causal-lm'; only decoders of 'span-corruption' and 'denoising'",
  ],
];

test.each(refused)('%s is refused by name', (_, given, more, message) => {
  expect(() => run(given, more)).toThrow(message);
});

test('fine-tuning takes it for pairs alone', () => {
  const scheduledSampling = { schedule: 'linear', from: 0, to: 0.5 };
  const of = (method: string) => () =>
    parseFinetuneConfig({ method, training: { scheduledSampling } });
  expect(of('seq2seq')().training.scheduledSampling).toEqual(scheduledSampling);
  expect(of('sft')).toThrow("unknown key 'training.scheduledSampling'");
});
