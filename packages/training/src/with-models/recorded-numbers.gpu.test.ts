import type { LanguageModel } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  batchLoss,
  causalLanguageModel,
  type Objective,
  type TensorLoss,
  type TokenBatch,
} from '../index.js';
import { expectSame, llama, reasons, tokens, trained } from './recorded.cases.js';

/** The next token's loss, times or plus something of a number that is read when the loss is computed. */
const withNumber =
  (number: () => number, combine: (loss: tf.Scalar, number: number) => tf.Tensor) =>
  (network: LanguageModel): Objective<TokenBatch> => {
    const { tensorLoss, name, predicted } = causalLanguageModel(network);
    const own: TensorLoss<TokenBatch> = {
      arrays: (batch) => tensorLoss!.arrays(batch),
      loss: (tensors, ctx) => combine(tensorLoss!.loss(tensors, ctx), number()) as tf.Scalar,
    };
    return { name: `annealed ${name}`, predicted, loss: batchLoss(own), tensorLoss: own };
  };

/** Ways by which a number of JavaScript reaches the device. */
const ways: Record<string, (loss: tf.Scalar, number: number) => tf.Tensor> = {
  'the value of a tensor': (loss, number) => loss.mul(number),
  // −loss · number
  'a uniform of a stock operation': (loss, number) => tf.leakyRelu(loss.neg(), number),
  'the bounds of a stock operation': (loss, number) => loss.add(tf.clipByValue(loss, 0, number)),
  // A gradient that is reversed, as of domain-adversarial training.
  'the backward pass': (loss, number) =>
    tf.customGrad((x) => ({
      value: (x as tf.Tensor).clone(),
      gradFunc: (dy: tf.Tensor) => tf.leakyRelu(dy.neg(), number),
    }))(loss),
};

/** Batches that set a number by their own, as a schedule does. */
function scheduled(numberAt: (step: number) => number) {
  let now = 0;
  const batches = (step: number) => {
    now = numberAt(step);
    return tokens(step);
  };
  return { batches, number: () => now };
}

for (const [way, combine] of Object.entries(ways)) {
  test(`a number that changes in each step is not replayed as it was: ${way}`, async () => {
    const { batches, number } = scheduled((step) => 0.5 / (1 + step));
    const objective = withNumber(number, combine);
    const recorded = await expectSame(llama, { objective, batches, steps: 5, record: true });
    expect(recorded.losses).toBe(5);
  });
}

test('a number that is an array of the loss is replayed as the batch has it', async () => {
  const batches = (step: number) => ({ ...tokens(step), temperature: 1 + step / 4 });
  type Tempered = ReturnType<typeof batches>;
  const objective = (network: LanguageModel): Objective<Tempered> => {
    const { tensorLoss, predicted } = causalLanguageModel(network);
    const own: TensorLoss<Tempered> = {
      arrays: (batch) => ({
        ...tensorLoss!.arrays(batch),
        temperature: { values: Float32Array.of(batch.temperature), shape: [] },
      }),
      loss: ({ temperature, ...tensors }, ctx) =>
        tensorLoss!.loss(tensors, ctx).div(temperature!) as tf.Scalar,
    };
    return { name: 'tempered', predicted, loss: batchLoss(own), tensorLoss: own };
  };
  const recorded = await expectSame(llama, { objective, batches, record: true });
  expect(recorded.losses).toBe(2);
});

test('a number that changes late is an error, and of a loss of another package not recorded unless asked', async () => {
  const late = (record?: boolean) => {
    const { batches, number } = scheduled((step) => (step < 5 ? 1 : 2));
    const objective = withNumber(number, ways['a uniform of a stock operation']!);
    return { objective, batches, steps: 11, record };
  };
  const cautious = await expectSame(llama, late());
  expect([...reasons(cautious)]).toEqual([
    "the objective 'annealed causal language modeling' has a tensorLoss of its own; pass record: true where its numbers stay as they are or are arrays of it",
  ]);
  await expect(trained(llama, late(true))).rejects.toThrow(
    "the step of 'annealed causal language modeling' takes other numbers from JavaScript than before, while it was replayed 8 times; give numbers that change as arrays of tensorLoss, or train with record: false",
  );
});

test('label smoothing is as it was given, whatever becomes of the options', async () => {
  let options = { labelSmoothing: 0 };
  const recorded = await expectSame(llama, {
    objective: (network: LanguageModel) => {
      options = { labelSmoothing: 0.1 };
      return causalLanguageModel(network, options);
    },
    batches: (step) => {
      options.labelSmoothing = 0.1 + step / 10;
      return tokens(step);
    },
  });
  expect(recorded.losses).toBe(2);
});
