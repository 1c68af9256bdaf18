import type { LanguageModel } from '@headwise/core';
import { createModel } from '@headwise/models';
import { gpuBytes } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  AdamW,
  causalLanguageModel,
  constantRate,
  Ema,
  evaluate,
  freeze,
  LossScale,
  Muon,
  sequenceClassification,
  sequenceToSequence,
  type TokenBatch,
  type TrainOptions,
  train,
} from '../index.js';
import {
  causal,
  expectSame,
  llama,
  reasons,
  type Settings,
  sizes,
  tokens,
  trained,
  vocabulary,
} from './recorded.cases.js';

const gpt2 = {
  ...{ model_type: 'gpt2', vocab_size: vocabulary, n_positions: 16, n_embd: 12, n_layer: 2 },
  n_head: 3,
};
const noDropout = { embd_pdrop: 0, resid_pdrop: 0, attn_pdrop: 0 };
/** Its positions count the tokens that are not padding. */
const roberta = {
  ...{
    model_type: 'roberta',
    pad_token_id: 1,
    ...sizes,
    num_attention_heads: 3,
    intermediate_size: 20,
  },
  ...{ max_position_embeddings: 16, architectures: ['RobertaForSequenceClassification'] },
  ...{ hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, num_labels: 3 },
};
const t5 = {
  ...{ model_type: 't5', vocab_size: vocabulary, d_model: 12, d_kv: 4, d_ff: 20, num_layers: 1 },
  ...{ num_heads: 3, dropout_rate: 0 },
};

test('a recorded step trains to the same bits, its operations called for two batches', async () => {
  const recorded = await expectSame(llama, causal);
  expect(recorded.losses).toBe(2);
  expect(reasons(recorded)).toEqual(new Set([undefined]));
});

test('so it does with accumulation, a loss scale, computing blocks again, and frozen parameters', async () => {
  const own = (params: Record<string, tf.Variable>): Partial<TrainOptions<TokenBatch>> => {
    const left = freeze(params, ['tokens', 'blocks.0.norm1']);
    const lossScale = new LossScale({ initial: 1024, interval: 2 });
    return { params: left, optimizer: new Muon(left), lossScale };
  };
  const recorded = await expectSame(llama, {
    ...{ ...causal, own, accumulate: 3, checkpoint: true, steps: 3 },
  });
  expect(recorded.steps.map(({ lossScale }) => lossScale)).toEqual([1024, 1024, 2048]);
  expect(reasons(recorded)).toEqual(new Set([undefined]));
});

test('so it does in mixed precision', async () => {
  const recorded = await expectSame(llama, { ...causal, precision: 'mixed', steps: 3 });
  expect(recorded.losses).toBe(2);
});

test('averages and measurements in between change nothing', async () => {
  const between: Settings<LanguageModel, TokenBatch>['between'] = async (
    { objective, ema },
    { step },
  ) => {
    if (step % 2 === 0) await ema!.during(() => evaluate(objective, [tokens(100, 3, 5)]));
  };
  const recorded = await expectSame(llama, {
    ...{ ...causal, steps: 6, between },
    own: (params) => ({ ema: new Ema(params, { decay: 0.5 }) }),
  });
  expect(recorded.losses).toBe(2);
});

test('documents of packed rows are read anew by each replay', async () => {
  const documents = (number: number) =>
    Int32Array.from({ length: 14 }, (_, i) => Math.floor((i % 7) / (2 + (number % 4))));
  const recorded = await expectSame(llama, {
    ...causal,
    batches: (number) => ({ ...tokens(number), documents: documents(number) }),
  });
  expect(recorded.losses).toBe(2);
});

test('encoders and encoder-decoders are recorded, with the padding of each batch', async () => {
  const mask = (number: number, length: number) =>
    Int32Array.from({ length: 2 * length }, (_, i) => Number(i % length < length - (number % 3)));
  const classes = await expectSame(roberta, {
    objective: sequenceClassification,
    batches: (number) => {
      const { inputs, shape } = tokens(number);
      const labels = Int32Array.of(number % 3, (number + 1) % 3);
      return { inputs, mask: mask(number, 7), labels, shape: [shape[0], shape[1]] as const };
    },
  });
  expect(classes.losses).toBe(2);
  const pairs = await expectSame(t5, {
    objective: (network: Parameters<typeof sequenceToSequence>[0]) => sequenceToSequence(network),
    batches: (number) => ({
      sources: tokens(number).inputs,
      sourceMask: mask(number, 7),
      targets: tokens(50 + number, 2, 5).targets,
      shape: [2, 7, 5] as const,
    }),
  });
  expect(pairs.losses).toBe(2);
});

test('what draws random numbers or decides in JavaScript is not recorded, and says so', async () => {
  const dropout = await trained(gpt2, { ...causal, steps: 2 });
  expect(reasons(dropout)).toEqual(new Set(['Dropout: training needs a generator in ctx.random']));
  const learned = await expectSame(
    { ...gpt2, ...noDropout },
    {
      ...causal,
      steps: 3,
      batches: (number) => ({ ...tokens(number), documents: new Int32Array(14).fill(1, number) }),
    },
  );
  expect([...reasons(learned)][0]).toContain('documents: their values are on the device only');
  const terms = await expectSame(llama, {
    ...{ ...causal, accumulate: 2, steps: 1 },
    objective: (network: LanguageModel) => {
      const one = causalLanguageModel(network);
      const counts = (batch: TokenBatch) => [one.predicted(batch), 1];
      const means: NonNullable<typeof one.terms>['means'] = (batch, ctx) => [
        one.loss(batch, ctx),
        one.loss(batch, ctx),
      ];
      return { ...one, terms: { counts, means } };
    },
  });
  expect([...reasons(terms)][0]).toContain('has terms, which are weighted each by its own count');
  const sampled = await trained(t5, {
    steps: 2,
    objective: (network: Parameters<typeof sequenceToSequence>[0]) => sequenceToSequence(network),
    batches: (number) => ({
      ...{ sources: tokens(number).inputs, targets: tokens(9, 2, 5).targets, sampled: 0.5 },
      shape: [2, 7, 5] as const,
    }),
  });
  expect(reasons(sampled)).toEqual(new Set(['the batch is not read through tensors alone']));
});

test('a bad batch is named as without a recording, and leaves nothing behind', async () => {
  const { network, params } = createModel(llama, { seed: 1 });
  const named = params.named();
  const objective = causalLanguageModel(network as LanguageModel);
  const optimizer = new AdamW(named);
  const run = (bad: (batch: TokenBatch) => void) =>
    train({
      ...{ objective, params: named, optimizer, schedule: constantRate(0.01), steps: 9 },
      batches: {
        at(number) {
          const batch = tokens(number);
          if (number === 4) bad(batch);
          return batch;
        },
      },
    });
  const all = async (steps: ReturnType<typeof train>) => {
    for await (const _ of steps);
  };
  await all(run(() => {})).catch(() => {});
  const before = { tensors: tf.memory().numTensors, bytes: gpuBytes().used };
  await expect(all(run(({ inputs }) => inputs.fill(vocabulary, 8, 9)))).rejects.toThrow(
    `id ${vocabulary} at position [1, 1] is outside the vocabulary of ${vocabulary} tokens`,
  );
  await expect(all(run(({ targets }) => targets.fill(-3, 2, 3)))).rejects.toThrow(
    `target -3 at position [0, 2] is outside the vocabulary of ${vocabulary} tokens`,
  );
  const left = run(() => {});
  for (let step = 0; step < 4; step++) await left.next();
  expect(gpuBytes().used).toBeGreaterThan(before.bytes);
  await left.return(undefined);
  const [[path, variable]] = Object.entries(named) as [[string, tf.Variable]];
  const spoilt = run(() => {});
  for (let step = 0; step < 3; step++) await spoilt.next();
  tf.tidy(() => variable.assign(variable.mul(Number.NaN)));
  await expect(spoilt.next()).rejects.toThrow(
    `training diverged at step 3 in the examples 30: loss NaN, gradient norm NaN; parameter '${path}' is not finite`,
  );
  // What the commands before still hold is free once they are submitted.
  const flushed = variable.square();
  await flushed.data();
  flushed.dispose();
  expect({ tensors: tf.memory().numTensors, bytes: gpuBytes().used }).toEqual(before);
  optimizer.dispose();
  params.dispose();
});
