import { createModel } from '@headwise/models';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { test } from 'vitest';
import { languageModelLoss, lossAndGradients } from '../index.js';

const batch = {
  inputs: Int32Array.from([3, 1, 4, 1, 5, 9, 2, 6]),
  targets: Int32Array.from([1, 4, 1, 5, 9, -100, 6, 5]),
  shape: [2, 4] as const,
};

describeBackends('the loss of a GPT-2', () => {
  for (const tied of [true, false]) {
    test(`is the same from hidden states and from logits, head ${tied ? 'tied' : 'of its own'}`, async () => {
      const { network, params } = createModel(
        {
          model_type: 'gpt2',
          vocab_size: 11,
          n_positions: 4,
          n_embd: 6,
          n_layer: 1,
          n_head: 2,
          tie_word_embeddings: tied,
          initializer_range: 0.5,
        },
        { seed: 2 },
      );
      const { vocabSize, maxLength } = network;
      const fromLogits = { vocabSize, maxLength, forward: network.forward.bind(network) };
      const options = { labelSmoothing: 0.1, zLoss: 1e-2 };
      const of = (model: typeof fromLogits) =>
        lossAndGradients(params.named(), () => languageModelLoss(model, batch, undefined, options));
      const [actual, expected] = [of(network), of(fromLogits)];
      await expectClose(actual.loss, expected.loss);
      for (const [path, gradient] of Object.entries(expected.gradients)) {
        await expectClose(actual.gradients[path]!, gradient, { ratio: 2e-5 });
      }
      params.dispose();
      tf.dispose([actual, expected] as never);
    });
  }
});
