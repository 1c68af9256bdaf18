import type { EncoderDecoderModel, EncoderModel, LanguageModel, Network } from '@headwise/core';
import { sentenceEmbeddings } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { cases, describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import golden from '../goldens/steps/objectives.json' with { type: 'json' };
import {
  AdamW,
  contrastivePairs,
  contrastiveViews,
  distillation,
  type Embed,
  type ExampleBatch,
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
import { expectLosses, expectWeights, modelOf, type Tensors, tensorAfter } from './steps.cases.js';

const ints = (given: Tensors, name: string) => Int32Array.from(given[name]!.data);
const encoderBatch = (given: Tensors) => ({
  inputs: ints(given, 'input_ids'),
  mask: ints(given, 'attention_mask'),
  shape: given.input_ids!.shape as [number, number],
});
const labelled = (given: Tensors) => ({ ...encoderBatch(given), labels: ints(given, 'labels') });

const fromSources = (given: Tensors) => ({
  sources: ints(given, 'input_ids'),
  targets: ints(given, 'labels'),
  shape: [...given.input_ids!.shape, given.labels!.shape[1]!] as [number, number, number],
});

const texts = (given: Tensors, part: string) => ({
  inputs: ints(given, `${part}_ids`),
  mask: ints(given, `${part}_mask`),
  shape: given[`${part}_ids`]!.shape as [number, number],
});
const pairs = (given: Tensors) => ({
  anchors: texts(given, 'anchors'),
  positives: texts(given, 'positives'),
  shape: [given.anchors_ids!.shape[0]!] as const,
});
const triples = (given: Tensors) => ({ ...pairs(given), negatives: texts(given, 'negatives') });
const embed =
  (network: Network): Embed =>
  (ids, ctx) =>
    sentenceEmbeddings(network as EncoderModel, ids, ctx);

/** The parameters that the loss of a bare encoder does not depend on. */
const idle = /^pooler/;

/** Adds the same to the scores of all places of a row, so that an answer does not depend on it. */
const shared = /^(blocks\.1\.norm2|score)\.bias$/;

/** Each objective, and its batch from the tensors that transformers' model is called with. */
const objectives: Record<
  string,
  [
    /** `scale` is CLIP's learned factor of similarities. */
    (network: Network, scale: tf.Variable) => Objective<never>,
    (given: Tensors) => ExampleBatch,
  ]
> = {
  'masked language modeling': [
    (network) => maskedLanguageModel(network as EncoderModel),
    (given) => ({ ...encoderBatch(given), targets: ints(given, 'labels') }),
  ],
  'sequence classification': [
    (network) => sequenceClassification(network as EncoderModel),
    labelled,
  ],
  'token classification': [(network) => tokenClassification(network as EncoderModel), labelled],
  regression: [
    (network) => regression(network as EncoderModel),
    (given) => ({ ...encoderBatch(given), values: Float32Array.from(given.labels!.data) }),
  ],
  'question answering': [
    (network) => questionAnswering(network as EncoderModel),
    (given) => ({
      ...encoderBatch(given),
      starts: ints(given, 'start_positions'),
      ends: ints(given, 'end_positions'),
    }),
  ],
  'contrastive learning of pairs': [(network) => contrastivePairs(embed(network)), triples],
  CLIP: [
    (network, temperature) => contrastivePairs(embed(network), { temperature, symmetric: true }),
    pairs,
  ],
  triplets: [(network) => triplets(embed(network)), triples],
  distillation: [
    (network) => distillation(network as LanguageModel, { temperature: 2, targets: 0.3 }),
    (given) => ({
      inputs: ints(given, 'input_ids'),
      targets: ints(given, 'targets'),
      shape: given.input_ids!.shape as [number, number],
      teacherIds: ints(given, 'teacher_ids'),
      teacherLogits: Float32Array.from(given.teacher_logits!.data),
      k: 4,
    }),
  ],
  'sequence-to-sequence': [
    (network) => sequenceToSequence(network as EncoderDecoderModel),
    (given) => ({ ...fromSources(given), sourceMask: ints(given, 'attention_mask') }),
  ],
  'span corruption': [(network) => sequenceToSequence(network as EncoderDecoderModel), fromSources],
};

describeBackends('twenty steps of AdamW', (backend) => {
  const few = cases(
    golden.cases,
    ({ objective }, i) =>
      backend === 'cpu' ||
      i === (backend === 'wasm' ? 1 : 0) ||
      (backend === 'webgpu' && objective === 'question answering'),
  );
  for (const { objective: name, batches, ...steps } of few) {
    test(`for ${name} make the losses and the weights of PyTorch`, async () => {
      const { network, params } = await modelOf(steps);
      const [objectiveOf, batchOf] = objectives[name]!;
      const named = Object.fromEntries(
        Object.entries(params.named()).filter(
          ([path]) => steps.model !== 'bert' || !idle.test(path),
        ),
      );
      const scale = tf.variable(tf.scalar(2.6593));
      const trained = name === 'CLIP' ? { ...named, scale } : named;
      const optimizer = new AdamW(trained);
      await expectLosses(steps, {
        params: trained,
        objective: objectiveOf(network, scale),
        optimizer,
        rate: golden.rate,
        batchOf: (step) => batchOf(batches[step % batches.length] as unknown as Tensors),
      });
      await expectWeights(steps, named, {
        without: name === 'question answering' ? shared : undefined,
      });
      if (name === 'CLIP')
        await expectClose(scale, await tensorAfter(steps, 'scale'), { ratio: 1e-4 });
      optimizer.dispose();
      scale.dispose();
      params.dispose();
    });
  }
});

test('labels, values and places that cannot be are named before the step', async () => {
  const load = async (name: string) => {
    const path = new URL(`../../../parity/goldens/${name}`, import.meta.url).pathname;
    return loadModel(path);
  };
  const text = { inputs: Int32Array.of(5, 6, 7, 8), shape: [2, 2] } as const;
  const classifier = await load('bert-sequence-classification');
  const classify = sequenceClassification(classifier.network as EncoderModel);
  expect(() => classify.loss({ ...text, labels: Int32Array.of(0, 9) })).toThrow(
    /^label 9 at position 1 is outside the \d classes of the logits/,
  );
  expect(() => classify.loss({ ...text, labels: Int32Array.of(0) })).toThrow(
    'sequence classification: labels',
  );
  expect(classify.predicted({ ...text, labels: Int32Array.of(1, ignoredTarget) })).toBe(1);
  const outside = { ...text, inputs: Int32Array.of(5, 6, 7, 999), labels: Int32Array.of(0, 1) };
  expect(() => classify.loss(outside)).toThrow(
    'id 999 at position [1, 1] is outside the vocabulary',
  );
  const values = Float32Array.of(0, Number.NaN);
  expect(() => regression(classifier.network as EncoderModel).loss({ ...text, values })).toThrow(
    'regression: value 1 is NaN; expected a finite number',
  );
  const tags = tokenClassification(classifier.network as EncoderModel);
  expect(() => tags.loss({ ...text, labels: Int32Array.of(0, 0, 1, 1) })).toThrow(
    'token classification: logits',
  );
  const masked = maskedLanguageModel(classifier.network as EncoderModel);
  expect(() => masked.loss({ ...text, targets: Int32Array.of(-100, -7, 1, 1) })).toThrow(
    'target -7 at position [0, 1] is outside the vocabulary',
  );
  const answers = questionAnswering(classifier.network as EncoderModel);
  const [starts, ends] = [Int32Array.of(0, 1), Int32Array.of(0, 2)];
  expect(() => answers.loss({ ...text, starts, ends })).toThrow(
    'end place 2 at position 1 is outside the 2 tokens of a row',
  );
  expect(() => answers.loss({ ...text, starts, ends: starts })).toThrow(
    "question answering: the model's head gives logits; expected 'startLogits'",
  );
  classifier.params.dispose();
});

test('without dropout two views are one: each text finds itself', async () => {
  const { network, params } = await loadModel(
    new URL('../../../parity/goldens/bert', import.meta.url).pathname,
  );
  const batch = { inputs: Int32Array.of(5, 6, 7, 8, 9, 5), shape: [3, 2] as const };
  const same = { anchors: batch, positives: batch, shape: [3] as const };
  const of = embed(network);
  const [views, found] = [contrastiveViews(of).loss(batch), contrastivePairs(of).loss(same)];
  expect(await views.data()).toEqual(await found.data());
  const one = { inputs: Int32Array.of(5, 6), shape: [1, 2] as const };
  expect(() => contrastiveViews(of).loss(one)).toThrow('the batch has one row and no negatives');
  expect(() => contrastivePairs(of).loss({ ...same, positives: one })).toThrow(
    'contrastive learning of pairs: positives',
  );
  expect(() => contrastivePairs(of, { temperature: 0 })).toThrow('temperature is 0');
  tf.dispose([views, found]);
  params.dispose();
});
