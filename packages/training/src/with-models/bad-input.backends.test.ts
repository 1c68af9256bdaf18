import type {
  EncoderDecoderModel,
  EncoderModel,
  LanguageModel,
  Network,
  ParamStore,
} from '@headwise/core';
import { createModel, sentenceEmbeddings } from '@headwise/models';
import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  AdamW,
  causalLanguageModel,
  constantRate,
  contrastivePairs,
  contrastiveViews,
  directPreference,
  distillation,
  type Embed,
  type ExampleBatch,
  groupRelativePolicy,
  identityPreference,
  kahnemanTversky,
  maskedLanguageModel,
  type Objective,
  questionAnswering,
  regression,
  Sgd,
  sentencePairPretraining,
  sequenceClassification,
  sequenceToSequence,
  type TrainOptions,
  tokenClassification,
  train,
  triplets,
  warmupCosine,
} from '../index.js';

const sizes = { vocab_size: 11, max_position_embeddings: 8, hidden_size: 6 };
const bert = {
  ...{ model_type: 'bert', ...sizes, num_hidden_layers: 1, num_attention_heads: 3 },
  intermediate_size: 7,
};
const headed = (architecture: string) => ({ ...bert, architectures: [architecture] });
const configurations = {
  decoder: { model_type: 'gpt2', vocab_size: 11, n_positions: 8, n_embd: 6, n_layer: 1, n_head: 3 },
  pairs: {
    model_type: 't5',
    vocab_size: 11,
    d_model: 6,
    d_kv: 4,
    d_ff: 8,
    num_layers: 1,
    num_heads: 2,
  },
  encoder: bert,
  masked: headed('BertForMaskedLM'),
  classes: headed('BertForSequenceClassification'),
  tags: headed('BertForTokenClassification'),
  answers: headed('BertForQuestionAnswering'),
  pretraining: headed('BertForPreTraining'),
};

const none = -100;
const shape = [2, 2] as const;
const inputs = Int32Array.of(1, 2, 3, 4);
const targets = Int32Array.of(2, none, 4, 5);
const ignored = new Int32Array(4).fill(none);
const [labels, noLabels] = [Int32Array.of(0, 1), Int32Array.of(none, none)];
const next = { inputs, targets, shape };
const referred = { ...next, reference: Float32Array.of(-1, -2) };
const rewarded = { ...next, advantages: Float32Array.of(1, -1) };
const judged = { ...referred, desirable: Int32Array.of(1) };
const teacher = {
  ...next,
  ...{ k: 1, teacherIds: Int32Array.of(1, 2, 3, 4), teacherLogits: new Float32Array(4) },
};
const text = { inputs, shape };
const texts = { anchors: text, positives: text, negatives: text, shape: [2] as const };
const pair = { sources: inputs, targets, shape: [2, 2, 2] as const };
const embed =
  (network: Network): Embed =>
  (ids, ctx) =>
    sentenceEmbeddings(network as EncoderModel, ids, ctx);

const swapped = (values: Int32Array, place: number, value: number) =>
  values.map((old, i) => (i === place ? value : old));
const badId = { inputs: swapped(inputs, 2, 11) };
const badTarget = { targets: swapped(targets, 2, 11) };
const ofId = 'id 11 at position [1, 0] is outside the vocabulary of 11 tokens';
const ofTarget = 'target 11 at position [1, 0] is outside the vocabulary of 11 tokens';
const nothing = (name: string) => `train: step 0: nothing to predict by ${name}`;

interface Case {
  model: keyof typeof configurations;
  objective: (network: Network) => Objective<never>;
  batch: object;
  /** What is wrong with the batch, and what is said of it. */
  wrong: [change: object, message: string][];
}

const decoderCase = (
  objective: (network: LanguageModel) => Objective<never>,
  batch: object,
  message: string,
): Case => ({
  model: 'decoder',
  objective: (network) => objective(network as LanguageModel),
  batch,
  wrong: [
    [badId, ofId],
    [badTarget, ofTarget],
    [{ targets: ignored }, message],
  ],
});
const encoderCase = (
  model: keyof typeof configurations,
  objective: (network: EncoderModel) => Objective<never>,
  batch: object,
  wrong: Case['wrong'],
): Case => ({ model, objective: (network) => objective(network as EncoderModel), batch, wrong });
const embedded = (objective: (embed: Embed) => Objective<never>): Case => ({
  model: 'encoder',
  objective: (network) => objective(embed(network)),
  batch: { ...texts, ...text },
  wrong: [[{ ...badId, anchors: { ...text, ...badId } }, ofId]],
});

const cases: Record<string, Case> = {
  'causal language modeling': decoderCase(
    causalLanguageModel,
    next,
    nothing('causal language modeling'),
  ),
  'direct preference optimization': decoderCase(
    directPreference,
    referred,
    'direct preference optimization: row 0 has nothing to predict; expected at least one target in each',
  ),
  'identity preference optimization': decoderCase(
    identityPreference,
    referred,
    'row 0 has nothing to predict; expected at least one target in each',
  ),
  'Kahneman-Tversky optimization': decoderCase(
    kahnemanTversky,
    judged,
    'Kahneman-Tversky optimization: row 0 has nothing to predict; expected at least one target in each',
  ),
  'group relative policy optimization': decoderCase(
    groupRelativePolicy,
    rewarded,
    nothing('group relative policy optimization'),
  ),
  distillation: decoderCase(distillation, teacher, nothing('distillation')),
  'sequence-to-sequence': {
    model: 'pairs',
    objective: (network) => sequenceToSequence(network as EncoderDecoderModel),
    batch: pair,
    wrong: [
      [{ sources: swapped(inputs, 2, 11) }, ofId],
      [badTarget, ofTarget],
      [{ targets: ignored }, nothing('sequence-to-sequence')],
    ],
  },
  'masked language modeling': encoderCase('masked', maskedLanguageModel, next, [
    [badId, ofId],
    [badTarget, ofTarget],
    [{ targets: ignored }, nothing('masked language modeling')],
  ]),
  'sentence-pair pre-training': encoderCase(
    'pretraining',
    sentencePairPretraining,
    { ...next, labels },
    [
      [badId, ofId],
      [badTarget, ofTarget],
      [{ labels: Int32Array.of(0, 2) }, 'label 2 at position 1 is outside the two labels of pairs'],
      [{ targets: ignored, labels: noLabels }, nothing('sentence-pair pre-training')],
    ],
  ),
  'sequence classification': encoderCase('classes', sequenceClassification, { ...text, labels }, [
    [badId, ofId],
    [{ labels: Int32Array.of(0, 2) }, 'label 2 at position 1 is outside the 2 classes'],
    [{ labels: noLabels }, nothing('sequence classification')],
  ]),
  'token classification': encoderCase(
    'tags',
    tokenClassification,
    { ...text, labels: Int32Array.of(0, 1, 0, none) },
    [
      [badId, ofId],
      [
        { labels: Int32Array.of(0, 1, 2, none) },
        'label 2 at position [1, 0] is outside the 2 classes',
      ],
      [{ labels: ignored }, nothing('token classification')],
    ],
  ),
  'question answering': encoderCase(
    'answers',
    questionAnswering,
    { ...text, starts: labels, ends: labels },
    [
      [badId, ofId],
      [{ ends: Int32Array.of(0, 2) }, 'end place 2 at position 1 is outside the 2 tokens of a row'],
    ],
  ),
  regression: encoderCase('classes', regression, { ...text, values: new Float32Array(4) }, [
    [badId, ofId],
    [
      { values: Float32Array.of(0, Number.NaN, 0, 0) },
      'regression: value 1 is NaN; expected a finite number',
    ],
  ]),
  'contrastive learning of pairs': embedded(contrastivePairs),
  'contrastive learning of views': embedded(contrastiveViews),
  triplets: embedded(triplets),
};

/** The parameters that a loss depends on. */
const trainedOf = (params: ParamStore, { model }: Case) =>
  Object.fromEntries(
    Object.entries(params.named()).filter(([path]) => model !== 'encoder' || !/^pooler/.test(path)),
  );

const valuesOf = (params: Record<string, tf.Variable>) =>
  Promise.all(Object.values(params).map((variable) => variable.data()));

describeBackends('bad input of training', () => {
  for (const [name, given] of Object.entries(cases)) {
    test(`${name}: is named with its place, before the step`, async () => {
      const { network, params } = createModel(configurations[given.model], { seed: 1 });
      const trained = trainedOf(params, given);
      const optimizer = new AdamW(trained);
      const before = await valuesOf(trained);
      const { numTensors } = tf.memory();
      const step = (change: object) =>
        train({
          objective: given.objective(network) as Objective<ExampleBatch>,
          params: trained,
          optimizer,
          schedule: constantRate(0.1),
          batches: { at: () => ({ ...given.batch, ...change }) as unknown as ExampleBatch },
          steps: 1,
        }).next();
      for (const [change, message] of given.wrong) {
        await expect(step(change)).rejects.toThrow(message);
        expect(tf.memory().numTensors, message).toBe(numTensors);
      }
      expect(await valuesOf(trained)).toEqual(before);
      expect(optimizer.steps).toBe(0);
      // What is right is learned from.
      expect((await step({})).value.loss).toBeGreaterThan(-1);
      expect(await valuesOf(trained)).not.toEqual(before);
      optimizer.dispose();
      params.dispose();
    });
  }

  test('options outside their range are named, and nothing is changed', async () => {
    const { network, params } = createModel(configurations.decoder, { seed: 1 });
    const named = params.named();
    const optimizer = new Sgd(named);
    const before = await valuesOf(named);
    const step = (options: Partial<TrainOptions<typeof next>>) =>
      train({
        objective: causalLanguageModel(network as LanguageModel),
        params: named,
        optimizer,
        schedule: constantRate(0.1),
        batches: { at: () => next },
        steps: 1,
        ...options,
      }).next();
    for (const [options, message] of [
      [{ accumulate: 0 }, 'train: accumulate is 0; expected a whole number of at least 1'],
      [{ maxNorm: -1 }, 'train: maxNorm is -1; expected above 0'],
      [{ maxNorm: 0 }, 'train: maxNorm is 0; expected above 0'],
      [{ steps: Number.NaN }, 'train: steps is NaN; expected a whole number of at least 0'],
      [{ start: -1 }, 'train: start is -1; expected a whole number of at least 0'],
      [
        { schedule: () => -0.1 },
        'Sgd: the learning rate of update 0 is -0.1; expected a finite number of at least 0',
      ],
    ] as const) {
      await expect(step(options)).rejects.toThrow(message);
    }
    expect(await valuesOf(named)).toEqual(before);
    expect(() => constantRate(-1)).toThrow(
      'constantRate: rate is -1; expected a number of at least 0',
    );
    expect(() => warmupCosine({ peak: -1, warmupSteps: 1, totalSteps: 2 })).toThrow(
      'warmupCosine: peak is -1; expected a number of at least 0',
    );
    expect(() => new Sgd(named, { rates: () => -1 })).toThrow(
      "Sgd: the rate of 'tokens.weight' is -1",
    );
    optimizer.dispose();
    params.dispose();
  });
});
