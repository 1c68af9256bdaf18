import { InputError } from '@headwise/core';
import { keyOf, philox } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { thresholdOf } from '../dropout/reference.js';
import type { PairSizes } from './expression/evaluate.js';

/** Which weights are dropped follows from the seed and their place alone. */
export interface WeightDropout {
  /** In [0, 1). */
  rate: number;
  /** A whole number from 0 to 2⁵³ − 1. */
  seed: number;
}

export function checkDropout({ rate, seed }: WeightDropout): void {
  if (!(rate >= 0 && rate < 1)) {
    throw new InputError(`attention: dropout's rate is ${rate}; expected 0 ≤ rate < 1`);
  }
  if (!(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new InputError(
      `attention: dropout's seed is ${seed}; expected a whole number of at least 0`,
    );
  }
}

/**
 * 0 or `1 / (1 − rate)` for each weight, `[B, H, Tq, Tk]`: the specification of what kernels draw.
 *
 * The four words of the counter `[key / 4, query, b · H + h, 0]` are for four neighbouring keys.
 */
export function keptWeights(
  { batch, heads, queries, keys }: PairSizes,
  { rate, seed }: WeightDropout,
): tf.Tensor {
  const [threshold, scale, key] = [thresholdOf(rate), 1 / (1 - rate), keyOf(seed)];
  const kept = new Float32Array(batch * heads * queries * keys);
  const words = new Uint32Array(4);
  let at = 0;
  for (let head = 0; head < batch * heads; head++) {
    for (let query = 0; query < queries; query++) {
      for (let first = 0; first < keys; first += 4) {
        words.set([first / 4, query, head, 0]);
        philox(words, key);
        const end = Math.min(4, keys - first);
        for (let word = 0; word < end; word++) {
          kept[at++] = words[word]! >= threshold ? scale : 0;
        }
      }
    }
  }
  return tf.tensor(kept, [batch, heads, queries, keys]);
}
