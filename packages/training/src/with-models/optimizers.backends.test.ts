import type { EncoderDecoderModel, LanguageModel, Network } from '@headwise/core';
import { cases, describeBackends } from '@headwise/testing';
import type * as tf from '@tensorflow/tfjs';
import { test } from 'vitest';
import golden from '../goldens/steps/optimizers.json' with { type: 'json' };
import {
  Adafactor,
  AdamW,
  causalLanguageModel,
  type ExampleBatch,
  ignoredTarget,
  Lion,
  Muon,
  type Objective,
  type Optimizer,
  Sgd,
  sequenceToSequence,
} from '../index.js';
import { expectLosses, expectWeights, modelOf, type Tensors } from './steps.cases.js';

type Params = Record<string, tf.Variable>;

const optimizers: Record<string, (params: Params) => Optimizer> = {
  AdamW: (params) => new AdamW(params, { weightDecay: 0.1 }),
  Adafactor: (params) => new Adafactor(params, { weightDecay: 0.1, epsilon: 1e-12 }),
  Lion: (params) => new Lion(params, { weightDecay: 0.1 }),
  Muon: (params) => new Muon(params, { weightDecay: 0.1 }),
  Sgd: (params) => new Sgd(params, { weightDecay: 0.1, momentum: 0.9 }),
};

const ints = (given: Tensors, name: string) => Int32Array.from(given[name]!.data);

/** Inputs and the tokens after them; the last has none. */
function nextTokens(given: Tensors): ExampleBatch {
  const [rows, length] = given.input_ids!.shape as [number, number];
  const labels = ints(given, 'labels');
  const targets = labels.map((_, i) => ((i + 1) % length ? labels[i + 1]! : ignoredTarget));
  return { inputs: ints(given, 'input_ids'), targets, shape: [rows, length] } as ExampleBatch;
}

const pairs = (given: Tensors): ExampleBatch => {
  const [rows, length] = given.input_ids!.shape as [number, number];
  return {
    sources: ints(given, 'input_ids'),
    sourceMask: ints(given, 'attention_mask'),
    targets: ints(given, 'labels'),
    shape: [rows, length, given.labels!.shape[1]!],
  } as ExampleBatch;
};

const models: Record<
  string,
  [(network: Network) => Objective<never>, (given: Tensors) => ExampleBatch]
> = {
  gpt2: [(network) => causalLanguageModel(network as LanguageModel), nextTokens],
  t5: [(network) => sequenceToSequence(network as EncoderDecoderModel), pairs],
};

describeBackends('twenty steps', (backend) => {
  const few = cases(
    golden.cases,
    ({ model, optimizer }, i) =>
      i === 3 || (backend === 'cpu' && (model === 'gpt2' || optimizer === 'Muon')),
  );
  for (const { optimizer: name, batches, ...steps } of few) {
    test(`of ${name} on ${steps.model} make the losses and the weights of PyTorch`, async () => {
      const { network, params } = await modelOf(steps);
      const named = params.named();
      const optimizer = optimizers[name]!(named);
      const [objectiveOf, batchOf] = models[steps.model]!;
      await expectLosses(steps, {
        params: named,
        objective: objectiveOf(network),
        optimizer,
        rate: name === 'Lion' ? golden.rate / 30 : golden.rate,
        batchOf: (step) => batchOf(batches[step % 2] as unknown as Tensors),
      });
      await expectWeights(steps, named);
      optimizer.dispose();
      params.dispose();
    });
  }
});
