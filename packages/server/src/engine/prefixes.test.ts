import type { LanguageModel } from '@headwise/core';
import { generate } from '@headwise/generation';
import { createModel } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';
import { expect, onTestFinished, test } from 'vitest';
import { Engine, type EngineLimits } from './engine.js';

const layers = 1;
const dim = 12;
/** Keys and values of a token. */
const tokenBytes = 2 * layers * dim * 4;

const system = Array.from({ length: 21 }, (_, i) => (i * 17 + 5) % 29);
const questions = [[3, 1, 4], [3, 8, 2, 9], [7], [3, 1, 4]];
const options = { temperature: 0, maxNewTokens: 2 };

/** A network that counts the tokens which it processes. */
function counting(seed: number): { network: LanguageModel; ran: () => number } {
  const sizes = { vocab_size: 29, n_positions: 48, n_embd: dim, n_layer: layers, n_head: 3 };
  const config = { model_type: 'gpt2', ...sizes, initializer_range: 0.5 } as const;
  const { network, params } = createModel(config, { seed });
  onTestFinished(() => params.dispose());
  let tokens = 0;
  const counted: LanguageModel = {
    vocabSize: network.vocabSize,
    maxLength: network.maxLength,
    parameterState: () => network.parameterState!(),
    forward(ids, ctx) {
      const [batch, longest] = ids.shape as [number, number];
      tokens += (ctx?.lengths ?? Array<number>(batch).fill(longest)).reduce((a, b) => a + b, 0);
      return network.forward(ids, ctx);
    },
  };
  return { network: counted, ran: () => tokens };
}

async function alone(network: LanguageModel, prompt: readonly number[]): Promise<number[]> {
  const ids: number[] = [];
  for await (const id of generate(network, prompt, options)) ids.push(id);
  return ids;
}

async function answered(engine: Engine, network: LanguageModel, prompts: readonly number[][]) {
  const sequences = engine.submit(prompts.map((prompt) => ({ network, prompt, options })));
  return Promise.all(
    sequences.map(async (sequence) => {
      const ids: number[] = [];
      for (let token = await sequence.next(); token; token = await sequence.next()) {
        ids.push(token.id);
      }
      return ids;
    }),
  );
}

function open(limits: EngineLimits): Engine {
  const engine = new Engine(limits);
  onTestFinished(() => engine.close());
  return engine;
}

test('a beginning that requests share is computed once, and the answers are those without it', async () => {
  const { network, ran } = counting(3);
  const prompts = questions.map((question) => [...system, ...question]);
  const expected: number[][] = [];
  for (const prompt of prompts) expected.push(await alone(network, prompt));
  const tokensOf = async (limits: EngineLimits) => {
    const engine = open(limits);
    const before = ran();
    expect(await answered(engine, network, prompts.slice(0, 1))).toEqual(expected.slice(0, 1));
    const first = ran();
    expect(await answered(engine, network, prompts.slice(1))).toEqual(expected.slice(1));
    return { first: first - before, others: ran() - first, ...engine.prefixes };
  };
  // Each token but the last of an answer is read; those of the last question but one are stored by then.
  const read = questions.map((question) => question.length + options.maxNewTokens - 1);
  const others = read[1]! + read[2]! + read[3]!;
  expect(await tokensOf({ prefixes: 0 })).toEqual({
    first: system.length + read[0]!,
    others: 3 * system.length + others,
    bytes: 0,
    reusedTokens: 0,
  });
  // The two questions that begin with 3 find it stored; the one that comes again is stored but for its last token.
  const reused = 3 * system.length + 1 + 2;
  expect(await tokensOf({})).toEqual({
    first: system.length + read[0]!,
    others: 3 * system.length + others - reused,
    bytes: (system.length + 3 + 3 + 1) * tokenBytes,
    reusedTokens: reused,
  });
});

test('models share the bound of what is kept, and nothing is left once the engine is closed', async () => {
  const before = tf.memory().numTensors;
  const networks = [counting(3), counting(4)].map(({ network }) => network);
  const parameters = tf.memory().numTensors;
  const prefixes = 30 * tokenBytes + 7;
  const engine = new Engine({ prefixes, running: 2 });
  for (const question of questions.slice(0, 3)) {
    const prompt = [...system, ...question];
    const all = await Promise.all(
      networks.map((network) => answered(engine, network, [prompt, [5, ...prompt]])),
    );
    for (const [n, network] of networks.entries()) {
      expect(all[n]).toEqual([await alone(network, prompt), await alone(network, [5, ...prompt])]);
    }
    expect(engine.prefixes.bytes).toBeLessThanOrEqual(prefixes);
    expect(engine.prefixes.bytes).toBeGreaterThan(0);
  }
  expect(tf.memory().numTensors).toBeGreaterThan(parameters);
  await engine.close();
  expect(tf.memory().numTensors).toBe(parameters);
  expect(parameters).toBeGreaterThan(before);
});
