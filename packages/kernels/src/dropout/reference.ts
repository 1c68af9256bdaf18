import { keyOf, philox } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';

/** The words below this are dropped. */
export const thresholdOf = (rate: number): number => Math.floor(rate * 2 ** 32);

/** Dropout by a mask that JavaScript draws: the specification, and the path of other backends. */
export function dropoutReference(x: tf.Tensor, rate: number, seed: number): tf.Tensor {
  return tf.tidy(() => x.mul(tf.tensor(dropoutMask(x.size, rate, seed), x.shape)));
}

/**
 * 0 or `1 / (1 − rate)` for each value.
 *
 * Of each 256 values, the four words of a counter are for values that lie 64 apart.
 */
export function dropoutMask(size: number, rate: number, seed: number): Float32Array {
  const [threshold, scale, key] = [thresholdOf(rate), 1 / (1 - rate), keyOf(seed)];
  const mask = new Float32Array(size);
  const words = new Uint32Array(4);
  for (let counter = 0; counter * 4 < size + 255; counter++) {
    words.fill(0);
    words[0] = counter;
    philox(words, key);
    const first = Math.floor(counter / 64) * 256 + (counter % 64);
    for (let word = 0; word < 4 && first + 64 * word < size; word++) {
      if (words[word]! >= threshold) mask[first + 64 * word] = scale;
    }
  }
  return mask;
}
