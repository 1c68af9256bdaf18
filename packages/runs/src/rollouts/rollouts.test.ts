import type { LanguageModel } from '@headwise/core';
import { collatedBatches, completions } from '@headwise/data';
import { createModel, type Model } from '@headwise/models';
import { cases, fullOnly } from '@headwise/testing';
import { trainCharacter } from '@headwise/tokenizers';
import {
  AdamW,
  causalLanguageModel,
  constantRate,
  groupRelativePolicy,
  train,
  warmupConstant,
} from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { type HistoryEntry, historyBefore } from '../history.js';
import { Session } from '../session.js';
import type { SavedState } from '../storage.js';
import { type RolloutOptions, Rollouts } from './rollouts.js';
import { restoreRound, saveRound } from './round.js';

const tokenizer = await trainCharacter(['0123456789+=.']);
const endId = tokenizer.tokenToId('.')!;
const encode = (text: string) => tokenizer.encode(text).ids;

interface Sum {
  prompt: string;
  answer: string;
}

/** Every sum of two numbers below a limit. */
const sums = (limit: number): Sum[] =>
  Array.from({ length: limit ** 2 }, (_, i) => {
    const [a, b] = [i % limit, Math.floor(i / limit)];
    return { prompt: `${a}+${b}=`, answer: String(a + b) };
  });
const right = ({ text }: { text: string }, { answer }: Sum) => Number(text === answer);

const newModel = () =>
  createModel(
    {
      model_type: 'llama',
      vocab_size: tokenizer.vocabSize,
      hidden_size: 32,
      intermediate_size: 64,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      max_position_embeddings: 16,
      bos_token_id: null,
      eos_token_id: null,
    },
    { seed: 1 },
  );

/** Teaches a model a part of the answers. */
async function teach({ network, params }: Model<LanguageModel>, problems: Sum[], steps: number) {
  const examples = problems.map(({ prompt, answer }) => ({
    prompt: encode(prompt),
    completion: encode(`${answer}.`),
  }));
  const optimizer = new AdamW(params.named());
  const run = train({
    objective: causalLanguageModel(network),
    params: params.named(),
    optimizer,
    schedule: constantRate(0.01),
    batches: collatedBatches(examples, completions(), { batchSize: examples.length }),
    steps,
  });
  for await (const { step } of run) expect(step).toBeLessThan(steps);
  optimizer.dispose();
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean rewards of each step, of a model that was first taught a part of the answers. */
async function rewardsOf(
  limit: number,
  { taught, steps, peak, beta }: { taught: number; steps: number; peak: number; beta: number },
) {
  const { numTensors } = tf.memory();
  const problems = sums(limit);
  const model = newModel();
  await teach(model, problems, taught);
  const reference = newModel();
  const start = model.params.named();
  for (const [path, copy] of Object.entries(reference.params.named())) copy.assign(start[path]!);
  const params = model.params.named();
  const optimizer = new AdamW(params, { weightDecay: 0, beta2: 0.99 });
  const run = train({
    objective: groupRelativePolicy(model.network, { beta }),
    params,
    optimizer,
    schedule: warmupConstant({ peak, warmupSteps: 5 }),
    batches: new Rollouts(model.network, {
      tokenizer,
      prompts: problems,
      rewards: { right },
      groups: problems.length,
      maxNewTokens: 3,
      endId,
      reference: reference.network,
    }),
    steps,
  });
  const rewards: number[] = [];
  for await (const { measures } of run) rewards.push(measures!.reward!);
  optimizer.dispose();
  for (const { params } of [model, reference]) params.dispose();
  expect(tf.memory().numTensors).toBe(numTensors);
  return rewards;
}

test('rewards raise the share of right sums by 0.2 within twelve updates', async () => {
  const rewards = await rewardsOf(3, { taught: 10, steps: 12, peak: 0.008, beta: 0.01 });
  const before = rewards[0]!;
  expect(before).toBeLessThan(0.4);
  expect(mean(rewards.slice(-3))).toBeGreaterThan(before + 0.2);
});

fullOnly(
  'and to more than 0.8, of sixteen sums, within sixty',
  async () => {
    const rewards = await rewardsOf(4, { taught: 18, steps: 60, peak: 0.004, beta: 0.02 });
    expect(rewards[0]).toBeLessThan(0.6);
    expect(mean(rewards.slice(-5))).toBeGreaterThan(0.8);
  },
  120_000,
);

/** Rollouts of a new model, two completions of each of two sums. */
function small(options: Partial<RolloutOptions<Sum>> = {}) {
  const model = newModel();
  const rollouts = new Rollouts(model.network, {
    tokenizer,
    prompts: sums(2),
    rewards: { right },
    groups: 2,
    size: 2,
    maxNewTokens: 3,
    endId,
    ...options,
  });
  return { model, rollouts };
}

test('a batch has the completions of each prompt side by side, their targets, and advantages within a prompt', async () => {
  const texts: string[] = [];
  const { model, rollouts } = small({
    rewards: {
      order: ({ text, ended, ids }) => {
        texts.push(text);
        return ended ? 1 : ids.length;
      },
      place: async (_, { answer }) => Number(answer),
    },
    reference: newModel().network,
  });
  const batch = await rollouts.at(0);
  const [rows, width] = batch.shape;
  expect([rows, batch.examples!.length, texts.length]).toEqual([4, 4, 4]);
  expect(batch.examples![0]).toBe(batch.examples![1]);
  expect(batch.examples![0]).not.toBe(batch.examples![2]);
  for (let row = 0; row < rows; row++) {
    const { prompt } = sums(2)[batch.examples![row]!]!;
    const at = (ids: Int32Array) => [...ids.slice(row * width, (row + 1) * width)];
    expect(tokenizer.decode(at(batch.inputs).slice(0, 4))).toBe(prompt);
    expect(at(batch.targets).slice(0, 3)).toEqual([-100, -100, -100]);
    const written = at(batch.targets).slice(3);
    const learned = written.filter((id) => id >= 0);
    expect(tokenizer.decode(learned).replace('.', '')).toBe(texts[row]);
    expect(learned.at(-1) === endId || learned.length === 3).toBe(true);
  }
  // The second reward is the same within a group, so it has no part in the advantages.
  for (const group of [0, 2]) {
    expect(batch.advantages[group]! + batch.advantages[group + 1]!).toBeCloseTo(0, 5);
  }
  const { measures = {} } = batch;
  expect(measures.reward).toBeCloseTo(measures['reward/order']! + measures['reward/place']!, 10);
  // The reference has the same weights, and the batch is used once.
  expect(batch.written).toBeUndefined();
  expect(batch.reference!.filter((value) => value !== 0).every((value) => value < 0)).toBe(true);
  expect(await rollouts.at(0)).toEqual(batch);
  expect((await rollouts.at(1)).inputs).not.toEqual(batch.inputs);
  model.params.dispose();
});

test('several updates and batches of an update share a round of completions', async () => {
  const { model, rollouts } = small({ updates: 2, accumulate: 2 });
  const batches = [];
  for (let number = 0; number < 5; number++) batches.push(await rollouts.at(number));
  expect(batches[2]).toBe(batches[0]);
  expect(batches[3]).toBe(batches[1]);
  expect(batches[1]!.inputs).not.toEqual(batches[0]!.inputs);
  expect(batches[4]).not.toBe(batches[0]);
  expect(batches[0]!.written!.length).toBe(batches[0]!.targets.length);
  await expect(small({ updates: 2 }).rollouts.at(3)).rejects.toThrow(
    'batch 3 is for update 2 of 2 of round 1, whose completions were not kept',
  );
  model.params.dispose();
});

describe('a session that is interrupted writes the same completions and makes the same losses, to the bit', () => {
  let history: HistoryEntry[] = [];
  let saved: SavedState | undefined;
  const reference = newModel();
  const storage = {
    state: async () => saved,
    note: (entry: HistoryEntry) => void history.push(entry),
    rewind: async (steps: number) => {
      history = historyBefore(history, steps);
      return { validated: false };
    },
    save: async ({ state }: { state: AsyncIterable<Uint8Array> }) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of state) chunks.push(chunk.slice());
      saved = { name: 'memory', bytes: Buffer.concat(chunks) };
    },
  };
  async function advance(steps: number, options: Partial<RolloutOptions<Sum>> = {}) {
    const reward = { length: ({ ids }: { ids: readonly number[] }) => ids.length };
    const { model, rollouts } = small({ rewards: reward, size: 4, ...options });
    const session = await Session.of(
      {
        model,
        optimizer: new AdamW(model.params.named()),
        objective: groupRelativePolicy(model.network),
        schedule: constantRate(0.01),
        batches: rollouts,
        pace: { seed: 0, steps: 4, maxNorm: 1, checkpointEvery: 1, accumulate: options.accumulate },
      },
      storage,
    );
    for (let made = 0; made < steps; made++) await session.advance();
    session.dispose();
    return history.map((entry) => ({ ...entry, ms: 0 }));
  }
  test('between two rounds', async () => {
    const straight = await advance(4);
    [history, saved] = [[], undefined];
    await advance(2);
    expect(await advance(2)).toEqual(straight);
    expect(straight).toHaveLength(4);
    expect(straight[3]).toHaveProperty('measures.reward');
  });

  test('and at any step within a round of several updates, each of several batches', async () => {
    const options = { updates: 3, accumulate: 2, reference: reference.network };
    [history, saved] = [[], undefined];
    const straight = await advance(3, options);
    const last = (saved as SavedState | undefined)?.bytes;
    for (const steps of cases([1, 2], (steps) => steps === 2)) {
      [history, saved] = [[], undefined];
      await advance(steps, options);
      expect(await advance(3 - steps, options)).toEqual(straight);
      // The weights, the moments and the completions that the next update would learn from.
      expect((saved as SavedState | undefined)?.bytes).toEqual(last);
    }
  });
});

test('a saved round that is damaged is refused', () => {
  const round = new Map([
    [
      4,
      {
        inputs: new Int32Array(6),
        targets: new Int32Array(6),
        advantages: new Float32Array(2),
        shape: [2, 3] as const,
      },
    ],
  ]);
  const saved = saveRound(round);
  expect(restoreRound(saved).get(4)).toMatchObject(round.get(4)!);
  const { '4.targets': _, ...arrays } = saved.arrays;
  expect(() => restoreRound({ ...saved, arrays })).toThrow(
    "rollouts: 'targets' of saved batch 4 has no values; expected 6",
  );
  expect(() => restoreRound({ ...saved, notes: [1] })).toThrow('are not those of a round');
});

test('what cannot be rolled out is said', async () => {
  expect(() => small({ size: 1 })).toThrow('size is 1; expected a whole number of at least 2');
  expect(() => small({ updates: 0 })).toThrow('updates is 0');
  expect(() => small({ rewards: {} })).toThrow('there are no rewards');
  expect(() => small({ prompts: [] })).toThrow('there are no examples');
  const odd = small({ rewards: { odd: () => Number.NaN } });
  await expect(odd.rollouts.at(0)).rejects.toThrow(/reward 'odd' of ".*" after "\d\+\d=" is NaN/);
  const empty = small({ prompts: [{ prompt: '', answer: '' }] });
  await expect(empty.rollouts.at(0)).rejects.toThrow('empty');
});
