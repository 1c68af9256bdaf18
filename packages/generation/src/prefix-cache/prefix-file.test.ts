import { createModel } from '@headwise/models';
import { blobBytes, SafetensorsReader, streamSafetensors } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import { generate } from '../generate.js';
import { PrefixCache } from './prefix-cache.js';

const settings = {
  model_type: 'gpt2',
  vocab_size: 29,
  n_positions: 32,
  n_embd: 8,
  n_layer: 2,
  n_head: 2,
  initializer_range: 0.3,
} as const;
const model = createModel(settings, { seed: 1 });
const { network } = model;
afterAll(() => model.params.dispose());

async function fileOf(prefixCache: PrefixCache, changed: Record<string, string> = {}) {
  const { tensors, metadata } = prefixCache.saved();
  const chunks: BlobPart[] = [];
  const stream = streamSafetensors(tensors, { ...metadata, ...changed }, { name: 'prefixes' });
  for await (const chunk of stream) chunks.push(chunk.slice());
  return SafetensorsReader.open(blobBytes(new Blob(chunks), 'prefixes.safetensors'));
}

const idsOf = async (prompt: readonly number[], prefixCache?: PrefixCache) => {
  const ids: number[] = [];
  const options = { maxNewTokens: 4, seed: 3, prefixCache };
  for await (const id of generate(network, prompt, options)) ids.push(id);
  return ids;
};

const prompts = [
  [1, 2, 3, 4, 5],
  [1, 2, 3, 9, 8],
  [20, 21],
];

async function stored(): Promise<PrefixCache> {
  const prefixCache = new PrefixCache(network);
  for (const prompt of prompts) await idsOf(prompt, prefixCache);
  return prefixCache;
}

describe('the file of a prefix cache', () => {
  test('brings every prompt back, with the same tokens after it', async () => {
    const before = tf.memory().numTensors;
    const first = await stored();
    const loaded = await PrefixCache.load(network, await fileOf(first));
    expect([loaded.tokens, loaded.bytes]).toEqual([first.tokens, first.bytes]);
    for (const prompt of prompts) {
      expect(loaded.match(prompt)).toBe(prompt.length);
      expect(await idsOf([...prompt, 6], loaded)).toEqual(await idsOf([...prompt, 6]));
    }
    const empty = new PrefixCache(network);
    expect((await PrefixCache.load(network, await fileOf(empty))).tokens).toBe(0);
    for (const one of [first, loaded, empty]) one.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('is refused by a model of other sizes, and by one of other weights', async () => {
    const prefixCache = await stored();
    const smaller = createModel({ ...settings, n_layer: 1 }, { seed: 1 });
    const other = createModel(settings, { seed: 2 });
    const before = tf.memory().numTensors;
    await expect(PrefixCache.load(smaller.network, await fileOf(prefixCache))).rejects.toThrow(
      'prefix cache: the file is for a model {"vocabSize":29,"maxLength":"32"',
    );
    await expect(PrefixCache.load(other.network, await fileOf(prefixCache))).rejects.toThrow(
      'it was made with other weights',
    );
    expect(tf.memory().numTensors).toBe(before);
    for (const { params } of [smaller, other]) params.dispose();
    prefixCache.dispose();
  });

  test('is refused where its metadata are not those of a prefix cache', async () => {
    const prefixCache = await stored();
    const before = tf.memory().numTensors;
    const cases = [
      [{ format: 'pt' }, 'prefix cache: the file has format "pt"'],
      [{ nodes: '[' }, "prefix cache: the file's nodes are not JSON"],
      [{ nodes: '[{"parent":0,"ids":[1]}]' }, "the file's nodes are not a list of { parent, ids }"],
      [{ nodes: '[{"parent":-1,"ids":[1,2]}]' }, "prefix cache: tensor '0."],
      [{ nodes: '[{"parent":-1,"ids":[1,2,99]}]' }, 'id 99'],
    ] as const;
    for (const [changed, message] of cases) {
      await expect(
        PrefixCache.load(network, await fileOf(prefixCache, changed)),
        message,
      ).rejects.toThrow(message);
    }
    expect(tf.memory().numTensors).toBe(before);
    prefixCache.dispose();
  });
});
