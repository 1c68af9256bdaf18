import { createModel } from '@headwise/models';
import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generate } from './generate.js';
import { generateBatch } from './generate-batch.js';
import { beamSearch } from './search/beam-search.js';
import { contrastiveSearch } from './search/contrastive-search.js';
import { stream } from './stream.js';

const sizes = { vocab_size: 7, n_positions: 12, n_embd: 8, n_layer: 1, n_head: 2 };

describeBackends('scores that are not numbers', () => {
  const make = () => createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });
  let model: ReturnType<typeof make>;
  let home: tf.Tensor;
  beforeAll(() => {
    model = make();
    home = table().clone();
  });
  afterAll(() => {
    model.params.dispose();
    home.dispose();
  });
  /** The embeddings, which are the head too. */
  const table = () => model.params.named()['tokens.weight']!;
  const drain = async (tokens: AsyncGenerator<unknown, unknown>) => {
    while (!(await tokens.next()).done);
  };

  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    test(`${value} is refused by every function, by row and token`, async () => {
      const { network } = model;
      // One number of token 5's row: its score is NaN, or ±∞ by the sign of the state.
      const changed = tf.tidy(() => {
        const row = tf.oneHot(tf.tensor1d([5], 'int32'), 7).transpose() as tf.Tensor2D;
        return tf.where(row.greater(0).tile([1, 8]), tf.scalar(value), home) as tf.Tensor;
      });
      table().assign(changed as tf.Tensor);
      const before = tf.memory().numTensors;
      const message = /the score of token 5 in row 0 is NaN or \+∞; expected a number/;
      const options = { maxNewTokens: 3 };
      for (const given of [options, { ...options, temperature: 0 }, { ...options, topP: 0.5 }]) {
        await expect(drain(generate(network, [1, 2], given))).rejects.toThrow(message);
        await expect(drain(stream(network, [1, 2], given))).rejects.toThrow(message);
        const { sequences } = await generateBatch(network, [[1, 2], [3]], given);
        for (const { error, tokens } of sequences) {
          expect(String(error)).toMatch(/the score of token 5 in row \d is NaN or \+∞/);
          expect(tokens).toEqual([]);
        }
      }
      const beams = beamSearch(network, [[1, 2], [3]], { beams: 2, ...options });
      await expect(beams).rejects.toThrow(message);
      const search = { candidates: 2, penalty: 0.5, ...options };
      await expect(contrastiveSearch(network, [[1, 2], [3]], search)).rejects.toThrow(message);
      expect(tf.memory().numTensors).toBe(before);
      changed.dispose();
    });
  }
});
