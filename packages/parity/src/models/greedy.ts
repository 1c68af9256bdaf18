import type { LanguageModel } from '@headwise/core';
import { readTensor } from '@headwise/core';
import { KeyValueCache } from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';

/** Tokens that a model appends to a prompt, each the best after those before it. */
export interface Greedy {
  readonly prompt: readonly number[];
  readonly tokens: readonly number[];
}

/** The best tokens after a prompt, read into a cache one after the other. */
export async function greedyTokens(
  network: LanguageModel,
  { prompt, tokens }: Greedy,
): Promise<number[]> {
  const cache = new KeyValueCache();
  const made: number[] = [];
  try {
    for (let ids = prompt; made.length < tokens.length; ids = made.slice(-1)) {
      const best = tf.tidy(() => {
        const input = tf.tensor2d([...ids], [1, ids.length], 'int32');
        const logits = network.forward(input, { cache });
        return logits.slice([0, ids.length - 1, 0], [1, 1, -1]).argMax(-1);
      });
      made.push((await readTensor(best))[0]!);
      best.dispose();
    }
  } finally {
    cache.dispose();
  }
  return made;
}
