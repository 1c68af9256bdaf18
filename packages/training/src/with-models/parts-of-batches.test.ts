import type { EncoderDecoderModel, EncoderModel, LanguageModel, Network } from '@headwise/core';
import { Random } from '@headwise/core';
import { sentenceEmbeddings } from '@headwise/models';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { accumulateGradients } from '../gradients.js';
import {
  causalLanguageModel,
  directPreference,
  distillation,
  type Embed,
  type ExampleBatch,
  evaluate,
  groupRelativePolicy,
  identityPreference,
  ignoredTarget,
  maskedLanguageModel,
  type Objective,
  questionAnswering,
  regression,
  sequenceClassification,
  sequenceToSequence,
  tokenClassification,
  triplets,
} from '../index.js';
import { pairsOf, rowsOf } from './rows.cases.js';
import { modelOf } from './steps.cases.js';

const random = new Random(11);
const [rows, length, vocabulary] = [4, 4, 31];
const shape = [rows, length] as const;
const below = (count: number, limit: number) =>
  Int32Array.from({ length: count }, () => Math.floor(random.next() * limit));
const reals = (count: number) => Float32Array.from({ length: count }, () => 2 * random.next() - 1);
const ids = () => below(rows * length, vocabulary);
/** Labels of which rows have 3, 0, 1 and 2. */
const labels = (limit: number) =>
  below(rows * length, limit).map((label, i) =>
    i % length < [3, 0, 1, 2][Math.floor(i / length)]! ? label : ignoredTarget,
  );
/** The same, of which each row has at least one. */
const some = () => labels(vocabulary).map((label, i) => (i % length === 0 ? 7 : label));
const texts = () => ({ inputs: ids(), shape });
const embed =
  (network: Network): Embed =>
  (given, ctx) =>
    sentenceEmbeddings(network as EncoderModel, given, ctx);
const decoder = (network: Network) => network as LanguageModel;
const encoder = (network: Network) => network as EncoderModel;
const targets = () => ({ ...texts(), targets: labels(vocabulary) });
const answers = () => ({ ...texts(), targets: some() });

interface Case {
  model: string;
  objective: (network: Network) => Objective<never>;
  batch: () => ExampleBatch;
  split?: (batch: ExampleBatch) => ExampleBatch[];
}

/** Every objective whose loss is a mean over things that parts of a batch have in unequal numbers. */
const cases: Record<string, Case> = {
  'causal language modeling with a z-loss': {
    model: 'gpt2',
    objective: (network) => causalLanguageModel(decoder(network), { zLoss: 0.1 }),
    batch: targets,
  },
  distillation: {
    model: 'gpt2',
    objective: (network) => distillation(decoder(network), { targets: 0.3 }),
    batch: () => ({
      ...targets(),
      teacherIds: Int32Array.from({ length: rows * length * 3 }, (_, i) => (i * 7) % vocabulary),
      teacherLogits: reals(rows * length * 3),
      k: 3,
    }),
  },
  'direct preference optimization': {
    model: 'gpt2',
    objective: (network) => directPreference(decoder(network)),
    batch: () => ({ ...answers(), reference: reals(rows) }),
    split: pairsOf,
  },
  'identity preference optimization': {
    model: 'gpt2',
    objective: (network) => identityPreference(decoder(network)),
    batch: () => ({ ...answers(), reference: reals(rows) }),
    split: pairsOf,
  },
  'group relative policy optimization with a divergence': {
    model: 'gpt2',
    objective: (network) => groupRelativePolicy(decoder(network), { beta: 0.2 }),
    batch: () => ({
      ...targets(),
      advantages: reals(rows),
      written: reals(rows * length).map((x) => x - 3),
      reference: reals(rows * length).map((x) => x - 3),
    }),
  },
  'sequence-to-sequence with smoothed labels': {
    model: 't5',
    objective: (network) =>
      sequenceToSequence(network as EncoderDecoderModel, { labelSmoothing: 0.1 }),
    batch: () => ({
      sources: ids(),
      targets: labels(vocabulary),
      shape: [rows, length, length] as const,
    }),
  },
  'masked language modeling': {
    model: 'bert-masked-lm',
    objective: (network) => maskedLanguageModel(encoder(network)),
    batch: targets,
  },
  'token classification': {
    model: 'bert-token-classification',
    objective: (network) => tokenClassification(encoder(network)),
    batch: () => ({ ...texts(), labels: labels(4) }),
  },
  'sequence classification': {
    model: 'bert-sequence-classification',
    objective: (network) => sequenceClassification(encoder(network)),
    batch: () => ({ ...texts(), labels: Int32Array.of(0, ignoredTarget, 2, 1) }),
  },
  regression: {
    model: 'bert-sequence-classification',
    objective: (network) => regression(encoder(network)),
    batch: () => ({ ...texts(), values: reals(rows * 3) }),
  },
  'question answering': {
    model: 'bert-question-answering',
    objective: (network) => questionAnswering(encoder(network)),
    batch: () => ({ ...texts(), starts: below(rows, length), ends: below(rows, length) }),
  },
  triplets: {
    model: 'bert',
    objective: (network) => triplets(embed(network)),
    batch: () => ({ anchors: texts(), positives: texts(), negatives: texts(), shape: [rows] }),
  },
};

test.each(Object.entries(cases))(
  '%s: a batch row by row has the loss and the gradients of the batch',
  async (_, { model, objective: of, batch: make, split = rowsOf }) => {
    const { network, params } = await modelOf({ model, after: '', losses: [] });
    const objective = of(network) as Objective<ExampleBatch>;
    const batch = make();
    const parts = split(batch);
    // An embedding does not depend on the pooler.
    const trained = Object.fromEntries(
      Object.entries(params.named()).filter(([path]) => model !== 'bert' || !/^pooler/.test(path)),
    );
    const accumulated = (batches: readonly ExampleBatch[]) =>
      accumulateGradients('test', trained, objective, batches, {});
    const [whole, apart] = [accumulated([batch]), accumulated(parts)];
    expect(apart.predicted).toBe(whole.predicted);
    const sum = tf.addN(apart.losses);
    await expectClose(sum, whole.losses[0]!, { ratio: 1e-6 });
    for (const [path, gradient] of Object.entries(apart.gradients)) {
      await expectClose(gradient, whole.gradients[path]!, { ratio: 1e-5, floor: 1e-6 });
    }
    const measured = await evaluate(objective, [batch]);
    const again = await evaluate(objective, parts);
    expect(again.loss).toBeCloseTo(measured.loss, 5);
    expect(again.predicted).toBe(measured.predicted);
    tf.dispose([sum, whole.losses, whole.gradients, apart.losses, apart.gradients]);
    params.dispose();
  },
);
