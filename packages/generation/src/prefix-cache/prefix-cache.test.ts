import { fileURLToPath } from 'node:url';
import { KeyValueCache } from '@headwise/decoding';
import { AdaptedModel, createModel, Lora, languageModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import { generate } from '../generate.js';
import { generateBatch } from '../generate-batch.js';
import type { GenerateOptions } from '../options.js';
import { RunningBatch } from '../running-batch.js';
import { beamSearch } from '../search/beam-search.js';
import { contrastiveSearch } from '../search/contrastive-search.js';
import { PrefixCache } from './prefix-cache.js';

const sizes = { vocab_size: 29, n_positions: 32, n_embd: 8, n_layer: 1, n_head: 2 };
const settings = { model_type: 'gpt2', ...sizes, initializer_range: 0.3 } as const;
const model = createModel(settings, { seed: 1 });
const { network } = model;
const other = createModel(settings, { seed: 1 });
const encoderDecoder = createModel(
  { model_type: 't5', vocab_size: 29, d_model: 8, d_kv: 4, d_ff: 8, num_layers: 1, num_heads: 2 },
  { seed: 1 },
);
afterAll(() => {
  for (const { params } of [model, other, encoderDecoder]) params.dispose();
});

const drain = async (prompt: readonly number[], options: GenerateOptions, of = network) => {
  const ids: number[] = [];
  for await (const id of generate(of, prompt, { maxNewTokens: 3, ...options })) ids.push(id);
  return ids;
};

describe('PrefixCache', () => {
  test('is refused by another network, even an equal one, and after dispose', async () => {
    const prefixCache = new PrefixCache(other.network);
    const message = 'prefixCache belongs to another network';
    await expect(drain([1, 2], { prefixCache })).rejects.toThrow(message);
    await expect(generateBatch(network, [[1]], { prefixCache })).rejects.toThrow(message);
    await expect(beamSearch(network, [[1]], { beams: 2, prefixCache })).rejects.toThrow(message);
    expect(() => new RunningBatch(network, { prefixCache })).toThrow(message);
    prefixCache.dispose();
    await expect(drain([1, 2], { prefixCache }, other.network)).rejects.toThrow(
      'PrefixCache: used after it was disposed',
    );
  });

  test('refuses encoder-decoders, sizes that mean nothing, and caches that lose a beginning', () => {
    expect(() => new PrefixCache(encoderDecoder.network as never)).toThrow(
      'PrefixCache: an encoder-decoder; expected a decoder alone',
    );
    expect(() => new PrefixCache(network, { maxBytes: 0 })).toThrow(
      'PrefixCache: maxBytes is 0; expected a number above 0',
    );
    expect(() => new PrefixCache(network, { storage: 'f8' as never })).toThrow("storage is 'f8'");
    const prefixCache = new PrefixCache(network);
    const sliding = new KeyValueCache({ window: 4 });
    expect(() => prefixCache.prefill(network, [[1, 2]], sliding, () => 0)).toThrow(
      'prefixCache: prefill of a cache with a window; expected an empty one of whole sequences',
    );
    sliding.dispose();
    prefixCache.dispose();
  });

  test('is emptied by a change of parameters, and of adapters', async () => {
    const adapted = new AdaptedModel(other.network);
    const lora = new Lora(other.params, { rank: 1, targets: /qkv$/ });
    const prefixCache = new PrefixCache(adapted);
    const prompt = [1, 2, 3, 4];
    const changes = [
      () => {
        adapted.adapters = lora;
      },
      () => {
        for (const variable of Object.values(lora.params.named())) {
          tf.tidy(() => variable.assign(tf.onesLike(variable)));
        }
      },
      () => {
        const bias = other.params.named()['blocks.0.mlp.up.bias']!;
        tf.tidy(() => bias.assign(tf.onesLike(bias)));
      },
    ];
    await drain(prompt, { prefixCache }, adapted);
    await drain(prompt, { prefixCache }, adapted);
    expect(prefixCache.tokens).toBe(4);
    for (const change of changes) {
      change();
      await drain([1, 2], { prefixCache }, adapted);
      expect(prefixCache.tokens).toBe(2);
      const expected = await drain(prompt, {}, adapted);
      expect(await drain(prompt, { prefixCache }, adapted)).toEqual(expected);
    }
    prefixCache.dispose();
    lora.params.dispose();
  });

  test('is an option of a batch, not of one of its sequences, and none of a contrastive search', async () => {
    const prefixCache = new PrefixCache(network);
    const batch = new RunningBatch(network);
    expect(() => batch.add([1], { prefixCache })).toThrow(
      'prefixCache is given for a sequence; expected none: it is an option of the batch',
    );
    batch.dispose();
    await expect(
      contrastiveSearch(network, [[1]], { candidates: 2, penalty: 0.5, prefixCache }),
    ).rejects.toThrow('prefixCache is given for a contrastive search, which does not take it');
    prefixCache.dispose();
  });

  test('leaves beams as they are, and frees all tensors', async () => {
    const before = tf.memory().numTensors;
    const prompts = [
      [1, 2, 3, 4],
      [1, 2, 5],
    ];
    const options = { beams: 3, returned: 2, maxNewTokens: 4 };
    const expected = await beamSearch(network, prompts, options);
    const prefixCache = new PrefixCache(network);
    for (let run = 0; run < 2; run++) {
      expect(await beamSearch(network, prompts, { ...options, prefixCache })).toEqual(expected);
    }
    expect(prefixCache.tokens).toBe(5);
    prefixCache.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('serves Transformer-XL, whose keys and values stand for its memory', async () => {
    const folder = fileURLToPath(
      new URL('../../../parity/goldens/transformer-xl-plain', import.meta.url),
    );
    const model = languageModel(await loadModel(folderFiles(folder)));
    const prefixCache = new PrefixCache(model.network);
    for (const prompt of [
      [3, 17, 5],
      [3, 17, 5, 9],
      [3, 17, 8],
    ]) {
      const expected = await drain(prompt, { seed: 2 }, model.network);
      expect(await drain(prompt, { seed: 2, prefixCache }, model.network)).toEqual(expected);
    }
    expect(prefixCache.match([3, 17, 5, 9])).toBe(4);
    prefixCache.dispose();
    model.params.dispose();
  });
});
