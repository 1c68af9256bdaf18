import type { LanguageModel } from '@headwise/core';
import { createModel } from '@headwise/models';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { languageModelLoss, lossAndGradients } from '../index.js';

const batch = {
  inputs: Int32Array.from([3, 1, 4, 1, 5, 9, 2, 6]),
  targets: Int32Array.from([1, 4, 1, 5, 9, -100, 6, 5]),
  shape: [2, 4] as const,
};

const gpt2 = {
  ...{ model_type: 'gpt2', vocab_size: 11, n_positions: 4, n_embd: 6, n_layer: 1, n_head: 2 },
  initializer_range: 0.5,
};
const sizes = {
  ...{ vocab_size: 11, hidden_size: 6, intermediate_size: 12, num_hidden_layers: 1 },
  ...{ num_attention_heads: 2, max_position_embeddings: 4, initializer_range: 0.5 },
};
const models = {
  'GPT-2, whose head is tied': gpt2,
  'GPT-2 with a head of its own': { ...gpt2, tie_word_embeddings: false },
  'Phi, whose head has a bias': { model_type: 'phi', ...sizes, hidden_size: 8 },
  'Gemma 2, whose scores have a soft-cap': {
    ...{ model_type: 'gemma2', ...sizes, num_key_value_heads: 2, head_dim: 4 },
    final_logit_softcapping: 0.5,
  },
};

describeBackends('the loss of', () => {
  for (const [name, config] of Object.entries(models)) {
    test(`${name}, is the same from hidden states and from logits`, async () => {
      const { network, params } = createModel(config, { seed: 2 });
      const named = params.named();
      // A bias begins at zero.
      const bias = named['head.bias'];
      bias?.assign(tf.range(0, 11).sin());
      const model = network as LanguageModel;
      expect(model.head).toBeDefined();
      const { vocabSize, maxLength } = model;
      const fromLogits: LanguageModel = {
        ...{ vocabSize, maxLength },
        forward: model.forward.bind(model),
      };
      const options = { labelSmoothing: 0.1, zLoss: 1e-2 };
      const of = (model: LanguageModel) =>
        lossAndGradients(named, () => languageModelLoss(model, batch, undefined, options));
      const [actual, expected] = [of(model), of(fromLogits)];
      await expectClose(actual.loss, expected.loss);
      expect(Object.keys(actual.gradients)).toEqual(Object.keys(expected.gradients));
      for (const [path, gradient] of Object.entries(expected.gradients)) {
        await expectClose(actual.gradients[path]!, gradient, { ratio: 2e-5 });
      }
      params.dispose();
      tf.dispose([actual, expected] as never);
    });
  }
});
