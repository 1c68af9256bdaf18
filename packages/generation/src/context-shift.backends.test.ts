import type { LanguageModel } from '@headwise/core';
import { createModel, type DecoderSettings } from '@headwise/models';
import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { type ContextShift, checkedShift } from './context-shift.js';
import { generate } from './generate.js';
import type { GenerateOptions } from './options.js';

const vocabulary = 41;
const models: Readonly<Record<string, DecoderSettings>> = {
  'learned positions': {
    model_type: 'gpt2',
    vocab_size: vocabulary,
    n_positions: 12,
    n_embd: 16,
    n_layer: 2,
    n_head: 2,
    initializer_range: 0.4,
  },
  'rotary positions': {
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: 16,
    intermediate_size: 20,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 12,
    initializer_range: 0.4,
  },
};

async function idsOf(network: LanguageModel, prompt: readonly number[], options: GenerateOptions) {
  const ids: number[] = [];
  for await (const id of generate(network, prompt, options)) ids.push(id);
  return ids;
}

/** Greedy tokens by passes over the kept tokens alone, from position 0 on, without any cache. */
async function expectedOf(
  network: LanguageModel,
  prompt: readonly number[],
  count: number,
  shift: ContextShift | undefined,
) {
  const { context, sinks, keep } = checkedShift(network.maxLength, shift);
  let kept = [...prompt];
  const made: number[] = [];
  while (made.length < count) {
    if (kept.length > context) kept = [...kept.slice(0, sinks), ...kept.slice(-keep)];
    const best = tf.tidy(() => {
      const logits = network.forward(tf.tensor2d([kept], [1, kept.length], 'int32'));
      return logits.slice([0, kept.length - 1, 0], [1, 1, -1]).argMax(2);
    });
    const [id] = await best.data();
    best.dispose();
    made.push(id!);
    kept.push(id!);
  }
  return made;
}

describeBackends('a context that shifts', () => {
  for (const [name, settings] of Object.entries(models)) {
    test(`${name}: tokens are those of passes over what is kept`, async () => {
      const { network, params } = createModel(settings, { seed: 5 });
      const before = tf.memory().numTensors;
      const count = 12;
      for (const contextShift of [
        undefined,
        { sinks: 3, keep: 4 },
        // Slides by one token.
        { sinks: 2, keep: 6, context: 8 },
      ]) {
        const expected = await expectedOf(network, [3, 1, 4, 1], count, contextShift);
        const options = { temperature: 0, maxNewTokens: count, contextShift };
        expect(await idsOf(network, [3, 1, 4, 1], options)).toEqual(expected);
      }
      expect(tf.memory().numTensors).toBe(before);
      params.dispose();
    });
  }
});
