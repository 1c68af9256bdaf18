import { KeyValueCache, type KeyValueCacheOptions } from '@headwise/decoding';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { test } from 'vitest';
import { createModel, type DecoderSettings } from './model.js';

const models: Record<string, DecoderSettings> = {
  gpt2: { model_type: 'gpt2', vocab_size: 13, n_positions: 12, n_embd: 12, n_layer: 2, n_head: 3 },
  llama: {
    model_type: 'llama',
    vocab_size: 13,
    max_position_embeddings: 12,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
  },
};

const sequences = [
  [3, 1, 4, 1, 5],
  [9, 2, 6, 5, 3, 5, 8],
];

describeBackends('a model with a cache', () => {
  for (const [name, config] of Object.entries(models)) {
    for (const options of [{}, { capacity: 12 }] as KeyValueCacheOptions[]) {
      const kind = options.capacity ? 'with room' : 'that grows';
      test(`${kind}: ${name} continues prompts of different lengths as each alone`, async () => {
        const { network, params } = createModel(config, { seed: 3 });
        const alone = sequences.map((ids) =>
          network.forward(tf.tensor2d([ids], [1, ids.length], 'int32')),
        );
        const cache = new KeyValueCache(options);
        // Prompts of 3 and 5 tokens, padding behind the first; then two tokens each.
        const padded = tf.tensor2d(
          [...sequences[0]!.slice(0, 3), 0, 0, ...sequences[1]!.slice(0, 5)],
          [2, 5],
          'int32',
        );
        const steps = [network.forward(padded, { cache, lengths: [3, 5] })];
        for (let n = 0; n < 2; n++) {
          const next = tf.tensor2d([sequences[0]![3 + n]!, sequences[1]![5 + n]!], [2, 1], 'int32');
          steps.push(network.forward(next, { cache }));
        }
        for (const [b, first] of [3, 5].entries()) {
          const own = steps.map((scores, n) =>
            scores.slice([b, 0, 0], [1, n === 0 ? first : 1, 13]),
          );
          await expectClose(tf.concat(own, 1), alone[b]!, { ratio: 1e-5 });
        }
        cache.dispose();
        params.dispose();
      });
    }
  }
});
