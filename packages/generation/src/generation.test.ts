import { createModel } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import { generate } from './generate.js';

describe('generate', () => {
  const { network, params } = createModel(
    {
      model_type: 'gpt2',
      vocab_size: 13,
      n_positions: 8,
      n_embd: 12,
      n_layer: 2,
      n_head: 3,
      initializer_range: 0.5,
    },
    { seed: 4 },
  );
  afterAll(() => params.dispose());
  const collect = async (prompt: number[], options = {}) => {
    const ids: number[] = [];
    for await (const id of generate(network, prompt, options)) ids.push(id);
    return ids;
  };

  test('greedily takes the best score of a pass without a cache', async () => {
    const sequence = [3, 1];
    const made = await collect(sequence, { temperature: 0, maxNewTokens: 6 });
    for (const id of made) {
      const logits = network.forward(tf.tensor2d([sequence], [1, sequence.length], 'int32'));
      const last = (await logits.data()).slice(-13);
      expect(id).toBe(last.indexOf(Math.max(...last)));
      sequence.push(id);
    }
    expect(made).toHaveLength(6);
  });

  test('a penalty for what occurred keeps greedy decoding from repeating itself', async () => {
    const made = await collect([1, 2], {
      temperature: 0,
      presencePenalty: 1e4,
      maxNewTokens: 6,
    });
    expect(new Set([1, 2, ...made]).size).toBe(8);
  });

  test('gives the same tokens for the same seed, and goes on beyond maxLength', async () => {
    const first = await collect([1, 2, 3], { maxNewTokens: 30, seed: 5 });
    expect(first).toHaveLength(30);
    expect(await collect([1, 2, 3], { maxNewTokens: 30, seed: 5 })).toEqual(first);
    expect(await collect([1, 2, 3], { maxNewTokens: 30, seed: 6 })).not.toEqual(first);
  });

  test('ends before a stop id, and at a signal', async () => {
    const all = await collect([1], { temperature: 0, maxNewTokens: 6 });
    const stop = all[3]!;
    const cut = await collect([1], { temperature: 0, maxNewTokens: 6, stopIds: [stop] });
    expect(cut).toEqual(all.slice(0, all.indexOf(stop)));
    const controller = new AbortController();
    const some: number[] = [];
    for await (const id of generate(network, [1], { maxNewTokens: 9, signal: controller.signal })) {
      if (some.push(id) === 2) controller.abort();
    }
    expect(some).toHaveLength(2);
  });

  test('leaves no tensor behind, also when it is left early', async () => {
    const before = tf.memory().numTensors;
    await collect([1, 2], { maxNewTokens: 12 });
    for await (const _ of generate(network, [1])) break;
    expect(tf.memory().numTensors).toBe(before);
  });

  test('refuses prompts and options that cannot be used', async () => {
    await expect(collect([])).rejects.toThrow('the prompt is empty');
    await expect(collect(Array(9).fill(1))).rejects.toThrow(
      "the prompt has 9 tokens; the model's context holds 8",
    );
    await expect(collect([1, 13])).rejects.toThrow(
      'id 13 at position 1 is outside the vocabulary of 13 tokens',
    );
    await expect(collect([1], { topP: 1.1 })).rejects.toThrow('topP is 1.1; expected 0 < topP ≤ 1');
    await expect(collect([1], { topK: 0.5 })).rejects.toThrow('topK is 0.5');
    await expect(collect([1], { temperature: Number.NaN })).rejects.toThrow('temperature is NaN');
    await expect(collect([1], { maxNewTokens: -1 })).rejects.toThrow('maxNewTokens is -1');
    await expect(collect([1], { stopIds: [-1] })).rejects.toThrow(
      'stopIds: id is -1; expected a whole number of at least 0',
    );
    await expect(collect([1], { suppressIds: [13] })).rejects.toThrow(
      'suppressIds: id 13 is outside the vocabulary of 13 tokens',
    );
    // An end token that the vocabulary lacks never comes.
    const options = { maxNewTokens: 2, stopIds: [50256], minNewTokens: 1 };
    expect(await collect([1], options)).toHaveLength(2);
  });
});
