import type { ParamStore } from '@headwise/core';
import { type HalfType, widenHalves } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';

/** A parameter of 16-bit floats that lie on the GPU. */
interface Halves {
  path: string;
  type: HalfType;
  shape: number[];
  /** Two floats in each. */
  words: tf.Tensor;
}

/** Bytes of 16-bit floats that wait on the GPU. */
const MAX_WAITING = 2 ** 23;

/**
 * Parameters of 16-bit floats, widened some at a time: a tensor that is written from the host waits until all commands before
 * it are submitted, so that one dispatch behind each would be one submission behind each.
 */
export class WidenedLater {
  readonly #params: ParamStore;
  #waiting: Halves[] = [];
  #bytes = 0;

  constructor(params: ParamStore) {
    this.#params = params;
  }

  /** Takes over the words, and widens all that wait where these are many. */
  add(halves: Halves): void {
    this.#waiting.push(halves);
    this.#bytes += 4 * halves.words.size;
    if (this.#bytes >= MAX_WAITING) this.widen();
  }

  /** Gives all parameters that wait their values. */
  widen(): void {
    for (const { path, type, shape, words } of this.#waiting) {
      const values = widenHalves(words, type, shape);
      this.#params.fill(path, values);
      values.dispose();
    }
    this.dispose();
  }

  /** Frees the words that wait. */
  dispose(): void {
    for (const { words } of this.#waiting) words.dispose();
    this.#waiting = [];
    this.#bytes = 0;
  }
}
