import { Random } from '@headwise/core';
import { collatedBatches, corruptSpans } from '@headwise/data';
import { createModel, encoderDecoderModel } from '@headwise/models';
import { describeOn, fullOnly } from '@headwise/testing';
import { sequenceToSequence } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { learn, longest, shareOf } from './learn.cases.js';

const [end, first, sentinel] = [1, 2, 28];
const random = new Random(5);

/** Four letters, each three times: what is left out can be copied from beside it. */
function text(): { ids: number[] } {
  const letters = Array.from({ length: 4 }, () => first + Math.floor(random.next() * 26));
  return { ids: letters.flatMap((letter) => [letter, letter, letter]) };
}
const texts = (count: number) => Array.from({ length: count }, text);

describeOn('wasm', 'an encoder-decoder learns within a minute', () => {
  fullOnly(
    'to copy half of the letters of spans that are left out',
    async () => {
      const { network, params } = encoderDecoderModel(
        createModel(
          {
            model_type: 't5',
            vocab_size: sentinel + 1,
            d_model: 32,
            d_kv: 8,
            d_ff: 64,
            num_layers: 1,
            num_decoder_layers: 1,
            num_heads: 4,
            dropout_rate: 0,
            eos_token_id: end,
          },
          { seed: 1 },
        ),
      );
      const collate = corruptSpans({ firstSentinel: sentinel, endId: end, meanLength: 2 });
      await learn({
        params: params.named(),
        objective: sequenceToSequence(network),
        batches: collatedBatches(texts(3000), collate, { batchSize: 16, seed: 3 }),
        steps: 200,
        rate: 0.03,
      });
      const held = collatedBatches(texts(64), collate, { batchSize: 64 }).at(0);
      const [rows, sources, targets] = held.shape;
      const guesses = tf.tidy(() => {
        // The decoder starts with id 0 and reads each target before it predicts the next.
        const given = held.targets.map((_, i) => (i % targets === 0 ? 0 : held.targets[i - 1]!));
        const encoded = network.encode(tf.tensor2d(held.sources, [rows, sources], 'int32'));
        return network.decode(tf.tensor2d(given, [rows, targets], 'int32'), encoded).argMax(2);
      });
      const found = await guesses.data();
      const places = [...held.targets.keys()].filter((i) => {
        const target = held.targets[i]!;
        return target >= first && target < sentinel;
      });
      const share = shareOf(
        places.map((i) => found[i]!),
        places.map((i) => held.targets[i]!),
      );
      expect(share).toBeGreaterThan(0.5);
      guesses.dispose();
      params.dispose();
    },
    longest,
  );
});
