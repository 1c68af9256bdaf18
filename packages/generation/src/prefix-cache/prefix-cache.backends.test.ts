import type { LanguageModel } from '@headwise/core';
import { createModel, type DecoderSettings } from '@headwise/models';
import { cases, describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generate } from '../generate.js';
import { generateBatch } from '../generate-batch.js';
import type { GenerateOptions } from '../options.js';
import { stream } from '../stream.js';
import { PrefixCache } from './prefix-cache.js';

const vocabulary = 61;
const models: Readonly<Record<string, DecoderSettings>> = {
  'learned positions': {
    model_type: 'gpt2',
    vocab_size: vocabulary,
    n_positions: 64,
    n_embd: 20,
    n_layer: 2,
    n_head: 2,
    initializer_range: 0.3,
  },
  'rotary positions': {
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: 24,
    intermediate_size: 28,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 64,
    initializer_range: 0.3,
  },
  ALiBi: {
    model_type: 'bloom',
    vocab_size: vocabulary,
    hidden_size: 24,
    n_layer: 2,
    n_head: 3,
    initializer_range: 0.3,
  },
  'a window of five tokens': {
    model_type: 'mistral',
    vocab_size: vocabulary,
    hidden_size: 24,
    intermediate_size: 28,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 64,
    sliding_window: 5,
    initializer_range: 0.3,
  },
};

const system = Array.from({ length: 19 }, (_, i) => (i * 17 + 5) % vocabulary);
const prompts = [
  [...system, 3, 1, 4],
  [...system, 3, 8, 2, 9],
  system.slice(0, 7),
  [...system, 3, 1, 4],
];

const greedy = { temperature: 0, maxNewTokens: 4 };
const sampled = { temperature: 0.9, topK: 30, seed: 3, maxNewTokens: 6 };

async function idsOf(network: LanguageModel, prompt: readonly number[], options: GenerateOptions) {
  const ids: number[] = [];
  for await (const id of generate(network, prompt, options)) ids.push(id);
  return ids;
}

/** A model that counts the tokens which its layers process; a fused step's are not among them. */
function counting(network: LanguageModel): { network: LanguageModel; ran: number[] } {
  const ran: number[] = [];
  const count = (ids: tf.Tensor) => void ran.push(ids.shape[1]!);
  const head = network.head && {
    get weight() {
      return network.head!.weight;
    },
    hidden: (ids: tf.Tensor, ctx?: object) => {
      count(ids);
      return network.head!.hidden(ids, ctx);
    },
  };
  const counted = new Proxy(network, {
    get: (target, name) => {
      const value = name === 'head' ? head : Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { network: counted, ran };
}

describeBackends('a prefix cache', () => {
  for (const [name, settings] of Object.entries(models)) {
    test(`${name}: tokens are those without it, and only what is new runs`, async () => {
      const model = createModel(settings, { seed: 2 });
      const { network, ran } = counting(model.network);
      const before = tf.memory().numTensors;
      const prefixCache = new PrefixCache(network);
      for (const [n, prompt] of prompts.entries()) {
        const options = n === 1 ? sampled : greedy;
        const expected = await idsOf(model.network, prompt, options);
        expect(await idsOf(network, prompt, { ...options, prefixCache })).toEqual(expected);
      }
      expect(prefixCache.match([...system, 3, 1])).toBe(21);
      ran.length = 0;
      await idsOf(network, [...system, 3, 1, 4, 7], { ...greedy, maxNewTokens: 1, prefixCache });
      expect(ran[0]).toBeLessThanOrEqual(2);
      prefixCache.dispose();
      expect(tf.memory().numTensors).toBe(before);
      model.params.dispose();
    });
  }
});

describeBackends('a prefix cache of batches', (backend) => {
  const few = cases(
    Object.entries(models),
    ([name]) => backend !== 'webgpu' || !/rotary|ALiBi/.test(name),
  );
  for (const [name, settings] of few) {
    test(`${name}: each sequence comes out as alone, and a shared beginning runs once`, async () => {
      const model = createModel(settings, { seed: 2 });
      const { network, ran } = counting(model.network);
      const before = tf.memory().numTensors;
      const prefixCache = new PrefixCache(network);
      const options = prompts.map((_, n) => (n === 1 ? sampled : greedy));
      const expected: number[][] = [];
      for (const [n, prompt] of prompts.entries()) {
        expected.push(await idsOf(model.network, prompt, options[n]!));
      }
      for (const order of [
        [0, 1, 2, 3],
        [1, 2, 0],
      ]) {
        const { sequences } = await generateBatch(
          network,
          order.map((n) => prompts[n]!),
          order.map((n) => ({ ...options[n], prefixCache })),
        );
        expect(sequences.map(({ tokens }) => tokens.map(({ id }) => id))).toEqual(
          order.map((n) => expected[n]),
        );
      }
      // The beginning alone, then at most four tokens of each.
      expect(ran[0]).toBeGreaterThan(16);
      expect(Math.max(...ran.slice(1))).toBeLessThanOrEqual(7);
      prefixCache.dispose();
      expect(tf.memory().numTensors).toBe(before);
      model.params.dispose();
    });
  }
});

describeBackends('options and limits of a prefix cache', () => {
  let model: ReturnType<typeof createModel>;
  let network: LanguageModel;
  beforeAll(() => {
    model = createModel(models['rotary positions']!, { seed: 2 });
    ({ network } = model as { network: LanguageModel });
  });
  afterAll(() => model.params.dispose());

  test('holds at most maxBytes, and goes on giving the same tokens', async () => {
    // Keys and values of one token: two layers of two heads of width 6.
    const tokenBytes = 2 * 2 * 2 * 6 * 4;
    const prefixCache = new PrefixCache(network, { maxBytes: 20 * tokenBytes + 1 });
    for (const prompt of [...prompts, prompts[1]!]) {
      const expected = await idsOf(network, prompt, sampled);
      expect(await idsOf(network, prompt, { ...sampled, prefixCache })).toEqual(expected);
      expect(prefixCache.bytes).toBeLessThanOrEqual(20 * tokenBytes);
      expect(prefixCache.tokens).toBe(prefixCache.bytes / tokenBytes);
    }
    expect(prefixCache.match(system)).toBeGreaterThan(10);
    prefixCache.clear();
    expect([prefixCache.bytes, prefixCache.match(system)]).toEqual([0, 0]);
    prefixCache.dispose();
  });

  test('stores halves where it is told to and there are kernels', async () => {
    const prefixCache = new PrefixCache(network, { storage: 'f16' });
    const options = { ...greedy, storage: 'f16', prefixCache } as const;
    const expected = await idsOf(network, prompts[1]!, { ...greedy, storage: 'f16' });
    await idsOf(network, prompts[0]!, options);
    expect(await idsOf(network, prompts[1]!, options)).toEqual(expected);
    // Two layers of two heads of width 6.
    const valueBytes = tf.getBackend() === 'cpu' ? 4 : 2;
    expect(prefixCache.bytes / prefixCache.tokens).toBe(2 * 2 * 2 * 6 * valueBytes);
    prefixCache.dispose();
  });

  test('serves guidance with its negative prompt, streams, and a sequence that outgrows the context', async () => {
    const prefixCache = new PrefixCache(network);
    const guided = { ...greedy, guidanceScale: 1.6, negativePrompt: system.slice(0, 12) };
    const long = Array.from({ length: 62 }, (_, i) => system[i % 19]!);
    for (const [prompt, options] of [
      [prompts[0]!, guided],
      [long, greedy],
    ] as const) {
      const expected = await idsOf(network, prompt, options);
      expect(await idsOf(network, prompt, { ...options, prefixCache })).toEqual(expected);
      const streamed: number[] = [];
      for await (const { id } of stream(network, prompt, { ...options, prefixCache })) {
        streamed.push(id);
      }
      expect(streamed).toEqual(expected);
    }
    prefixCache.dispose();
  });
});
