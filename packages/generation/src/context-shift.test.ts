import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createModel } from '@headwise/models';
import { fullOnly } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import { Context } from './context-shift.js';
import { generate } from './generate.js';
import { generateBatch } from './generate-batch.js';
import type { GenerateOptions } from './options.js';
import { promptLookup } from './speculation/prompt-lookup.js';
import { stream } from './stream.js';

const sizes = { vocab_size: 11, n_positions: 16, n_embd: 8, n_layer: 1, n_head: 1 };
const model = createModel({ model_type: 'gpt2', ...sizes, initializer_range: 0.5 }, { seed: 3 });
const { network } = model;
afterAll(() => model.params.dispose());

const collect = async (options: GenerateOptions, prompt = [1, 2]) => {
  const ids: number[] = [];
  for await (const id of generate(network, prompt, options)) ids.push(id);
  return ids;
};

describe('contextShift', () => {
  test('keeps the first and the latest tokens', () => {
    const sequence = Array.from({ length: 30 }, (_, i) => i);
    const context = new Context(10, { sinks: 2, keep: 4 });
    expect(context.shift(10)).toBe(false);
    expect(context.after(7, sequence.slice(0, 10))).toEqual([7, 8, 9]);
    expect([context.shift(11), context.room(11)]).toEqual([true, 4]);
    expect(context.after(0, sequence.slice(0, 11))).toEqual([0, 1, 7, 8, 9, 10]);
    expect(context.after(6, sequence.slice(0, 13))).toEqual([11, 12]);
    expect(context.after(1, sequence.slice(0, 12))).toEqual([1, 7, 8, 9, 10, 11]);
    expect([context.shift(15), context.shift(16)]).toEqual([false, true]);
    expect(context.after(0, sequence.slice(0, 16))).toEqual([0, 1, 12, 13, 14, 15]);
  });

  test('is the same for generate, stream and drafted tokens', async () => {
    const options = { contextShift: { sinks: 2, keep: 5 }, maxNewTokens: 20, seed: 2 };
    const expected = await collect(options);
    const streamed: number[] = [];
    for await (const { id } of stream(network, [1, 2], options)) streamed.push(id);
    expect(streamed).toEqual(expected);
    expect(await collect({ ...options, speculation: promptLookup() })).toEqual(expected);
  });

  test('refuses lengths that do not fit, and what it is not for', async () => {
    const shifted = (contextShift: GenerateOptions['contextShift'], prompt?: number[]) =>
      collect({ contextShift, maxNewTokens: 1 }, prompt);
    await expect(shifted({ sinks: -1 })).rejects.toThrow(
      'contextShift: sinks is -1; expected a whole number from 0 to 15, below the context',
    );
    await expect(shifted({ sinks: 4, keep: 13 })).rejects.toThrow(
      'contextShift: keep is 13; expected a whole number from 1 to 12, what 4 sinks leave',
    );
    await expect(shifted({ context: 17 })).rejects.toThrow(
      "contextShift: context is 17; expected a whole number from 1 to 16, the model's maxLength",
    );
    await expect(shifted({ context: 6 }, [1, 2, 3, 4, 5, 6, 7])).rejects.toThrow(
      'the prompt has 7 tokens; contextShift has a context of 6',
    );
    await expect(generateBatch(network, [[1]], { contextShift: {} })).rejects.toThrow(
      'contextShift is given for a batch; expected none',
    );
  });

  test('1,000 tokens leave no tensor behind', async () => {
    const before = tf.memory();
    const ids = await collect({ contextShift: { sinks: 2, keep: 7 }, maxNewTokens: 1000 });
    expect(ids).toHaveLength(1000);
    const { numTensors, numBytes } = tf.memory();
    expect([numTensors, numBytes]).toEqual([before.numTensors, before.numBytes]);
  }, 180_000);

  fullOnly(
    '10,000 tokens do not grow the JavaScript heap',
    async () => {
      setFlagsFromString('--expose-gc');
      const collectGarbage = runInNewContext('gc') as () => void;
      const heap = () => {
        collectGarbage();
        return process.memoryUsage().heapUsed;
      };
      const sizes: number[] = [];
      let count = 0;
      const options = { contextShift: { sinks: 2, keep: 7 }, maxNewTokens: 10_000 };
      for await (const _ of generate(network, [1, 2], options)) {
        if (++count % 2000 === 0) sizes.push(heap());
      }
      // The ids themselves, 8 bytes each, and what the engine compiles meanwhile.
      console.log(
        `heap after each 2,000 tokens: ${sizes.map((bytes) => (bytes / 2 ** 20).toFixed(2)).join(', ')} MiB`,
      );
      expect(sizes).toHaveLength(5);
      expect(sizes.at(-1)! - sizes[0]!).toBeLessThan(2 ** 20);
    },
    3_600_000,
  );
});
