import { readdirSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { checkModelFits, createModel, families, modelSize } from './index.js';
import { loadModel } from './node.js';

const goldens = new URL('../../parity/goldens/', import.meta.url).pathname;
const configOf = (name: string) =>
  JSON.parse(readFileSync(`${goldens}${name}/config.json`, 'utf8')) as Record<string, unknown>;

describe('the size of a model is known before it is made', () => {
  for (const name of readdirSync(goldens)) {
    test(name, async () => {
      // Which tables are tied, its tensors say.
      const { params, family, config } = await loadModel(`${goldens}${name}`);
      const before = tf.memory();
      const { parameters, bytes, tensors } = modelSize(family.configJson(config));
      const after = tf.memory();
      expect([after.numTensors, after.numBytes]).toEqual([before.numTensors, before.numBytes]);
      expect(parameters).toBe(params.count());
      expect(bytes).toBe(4 * params.count());
      expect(tensors).toBe(Object.keys(params.named()).length);
      params.dispose();
    });
  }

  // As their cards and papers count them: https://huggingface.co/docs/transformers/model_doc
  test.each([
    [{ model_type: 'gpt2' }, 124_439_808],
    [{ model_type: 'llama' }, 6_738_415_616],
    [{ model_type: 'mistral' }, 7_241_732_096],
    [{ model_type: 'bert' }, 109_482_240],
    // As transformers counts them.
    [{ model_type: 'distilbert' }, 66_362_880],
    [{ model_type: 'electra' }, 13_483_008],
    [
      {
        ...{ model_type: 'albert', hidden_size: 768, num_attention_heads: 12 },
        intermediate_size: 3072,
      },
      11_683_584,
    ],
    [{ model_type: 'mpnet' }, 109_484_928],
    [{ model_type: 'modernbert' }, 149_014_272],
  ])('%o', (config, parameters) => {
    expect(modelSize(config).parameters).toBe(parameters);
  });

  test('of 4,096 blocks and of vocabularies of two thousand millions', () => {
    const sizes = { n_layer: 4096, n_embd: 64, n_head: 2, n_positions: 8, vocab_size: 2 ** 31 - 1 };
    const { parameters, largestBytes } = modelSize({ model_type: 'gpt2', ...sizes });
    const block = 12 * 64 ** 2 + 13 * 64;
    expect(parameters).toBe(4096 * block + 64 * (2 ** 31 - 1) + 8 * 64 + 2 * 64);
    expect(largestBytes).toBe(4 * 64 * (2 ** 31 - 1));
  });
});

describe('a model that cannot fit is refused before anything of it is made', () => {
  test.each([
    [
      'createModel',
      () => createModel({ model_type: 'gpt2', n_embd: 1_000_000, n_head: 10 }),
      /144051439000000 parameters, 576 TB \(576205756000000 bytes\) in float32; available: \d/,
    ],
    [
      'a limit that is given',
      () => createModel({ model_type: 'gpt2' }, { memoryLimit: 4e8 }),
      /124439808 parameters, 498 MB \(497759232 bytes\) in float32; available: 400 MB \(400000000 bytes\)/,
    ],
    [
      'packed weights',
      () => createModel({ model_type: 'gpt2' }, { dtype: 'int8', memoryLimit: 1e8 }),
      /124439808 parameters, 124 MB \(124439808 bytes\) at 8 bits a parameter; available: 100 MB/,
    ],
    [
      'training',
      () => checkModelFits(modelSize({ model_type: 'gpt2' }), { copies: 4, memoryLimit: 1e9 }),
      /1\.99 GB \(1991036928 bytes\) held 4 times in float32; available: 1\.00 GB/,
    ],
    [
      'a hundred thousand blocks',
      () => createModel({ model_type: 'gpt2', n_layer: 100_000, n_embd: 8, n_head: 2 }),
      /'n_layer' is 100000: .*<=4096/,
    ],
  ])('%s', (_, make, message) => {
    const before = tf.memory().numTensors;
    expect(make).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('loadModel', async () => {
    await expect(loadModel(`${goldens}gpt2`, { memoryLimit: 1000 })).rejects.toThrow(
      /config\.json: the model has \d+ parameters, \d+.* in float32; available: 1\.00 kB \(1000 bytes\)/,
    );
  });

  /** Numbers of a configuration that a file does not bound. */
  test('no number of a configuration makes work before it is checked', () => {
    const work: string[] = [];
    for (const name of readdirSync(goldens)) {
      const config = configOf(name);
      const family = families[config.model_type as string]!;
      const parsed = family.parseConfig(config) as Record<string, unknown>;
      for (const [key, value] of Object.entries(parsed)) {
        if (!Number.isInteger(value) || value === 0) continue;
        const before = process.memoryUsage().arrayBuffers;
        try {
          modelSize({ ...config, [key]: 2 ** 31 - 1 });
        } catch (error) {
          expect((error as Error).name, `${name} ${key}: ${error}`).toMatch(
            /InputError|ShapeError/,
          );
        }
        const grown = process.memoryUsage().arrayBuffers - before;
        if (grown > 64e6) work.push(`${name} ${key} ${grown}`);
      }
    }
    expect(work).toEqual([]);
  });
});
