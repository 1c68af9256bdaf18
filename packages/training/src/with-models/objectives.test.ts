import type { EncoderDecoderModel, EncoderModel, Network } from '@headwise/core';
import { loadModel } from '@headwise/models/node';
import { expect, test } from 'vitest';
import golden from '../goldens/objectives.json' with { type: 'json' };
import {
  AdamW,
  constantRate,
  type ExampleBatch,
  ignoredTarget,
  maskedLanguageModel,
  type Objective,
  questionAnswering,
  regression,
  sequenceClassification,
  sequenceToSequence,
  tokenClassification,
  train,
} from '../index.js';

type Tensors = Record<string, { shape: number[]; data: number[] }>;

const ints = (given: Tensors, name: string) => Int32Array.from(given[name]!.data);
const encoderBatch = (given: Tensors) => ({
  inputs: ints(given, 'input_ids'),
  mask: ints(given, 'attention_mask'),
  shape: given.input_ids!.shape as [number, number],
});
const labelled = (given: Tensors) => ({ ...encoderBatch(given), labels: ints(given, 'labels') });

/** Each objective, and its batch from the tensors that transformers' model is called with. */
const objectives: Record<
  string,
  [(network: Network) => Objective<never>, (given: Tensors) => ExampleBatch]
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
  'sequence-to-sequence': [
    (network) => sequenceToSequence(network as EncoderDecoderModel),
    (given) => ({
      sources: ints(given, 'input_ids'),
      sourceMask: ints(given, 'attention_mask'),
      targets: ints(given, 'labels'),
      shape: [...given.input_ids!.shape, given.labels!.shape[1]!] as [number, number, number],
    }),
  ],
};

for (const { objective: name, model, batches, losses } of golden.cases) {
  test(`${name}: twenty steps of AdamW on ${model} make the losses of PyTorch`, async () => {
    const { network, params } = await loadModel(
      new URL(`../../../parity/goldens/${model}`, import.meta.url).pathname,
    );
    const [objectiveOf, batchOf] = objectives[name]!;
    const optimizer = new AdamW(params.named());
    const run = train({
      objective: objectiveOf(network) as Objective<ExampleBatch>,
      params: params.named(),
      optimizer,
      schedule: constantRate(golden.rate),
      batches: { at: (n) => batchOf(batches[n % 2] as unknown as Tensors) },
      steps: losses.length,
    });
    const made: number[] = [];
    for await (const { loss } of run) made.push(loss);
    for (const [step, loss] of losses.entries()) {
      expect(Math.abs(made[step]! / loss - 1), `step ${step}`).toBeLessThan(1e-4);
    }
    optimizer.dispose();
    params.dispose();
  });
}

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
