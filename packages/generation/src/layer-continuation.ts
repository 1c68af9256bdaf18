import { type LanguageModel, Random, readTensor } from '@headwise/core';
import { KeyValueCache } from '@headwise/decoding';
import { sampleTokens } from '@headwise/kernels';
import { penalises } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import type { Continuation } from './continuation.js';
import type { Plan } from './options.js';
import { bannedIds } from './restrictions.js';

/** Draws tokens one by one from the scores of the model's own layers. */
export class LayerContinuation implements Continuation {
  readonly #network: LanguageModel;
  readonly #plan: Plan;
  readonly #random: Random;
  #cache: KeyValueCache;
  /** Where in the sequence the first cached token stands. */
  #first = 0;

  constructor(network: LanguageModel, plan: Plan) {
    this.#network = network;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    this.#cache = new KeyValueCache({ storage: plan.storage });
  }

  async next(sequence: readonly number[], made: number): Promise<readonly number[]> {
    const { maxLength } = this.#network;
    if (sequence.length - this.#first > maxLength) {
      this.#cache.dispose();
      this.#cache = new KeyValueCache({ storage: this.#plan.storage });
      this.#first = sequence.length - newerHalf(maxLength);
    }
    const unseen = sequence.slice(this.#first + this.#cache.length);
    const banned = bannedIds(this.#plan, sequence, made);
    const drawn = tf.tidy(() => {
      const ids = tf.tensor2d(unseen, [1, unseen.length], 'int32');
      const logits = this.#network.forward(ids, { cache: this.#cache });
      const { vocabSize } = this.#network;
      const last = logits.slice([0, unseen.length - 1, 0], [1, 1, vocabSize]);
      const scores = last.reshape<tf.Tensor2D>([1, vocabSize]);
      return drawFrom(scores, this.#plan, this.#random, { history: sequence, banned });
    });
    const [id] = await readTensor(drawn);
    drawn.dispose();
    return [id!];
  }

  dispose(): void {
    this.#cache.dispose();
  }
}

/** The tokens that a sequence goes on from where it has become too long. */
export const newerHalf = (maxLength: number): number => Math.max(1, maxLength >> 1);

/**
 * Draws a token from scores.
 *
 * @param scores `[1, V]`
 * @returns its id, `[1]`
 */
export function drawFrom(
  scores: tf.Tensor2D,
  { sampling }: Plan,
  random: Random,
  { history, banned }: { history: readonly number[]; banned: ReadonlySet<number> },
): tf.Tensor1D {
  return sampleTokens(scores, sampling, random.nextUint32(), {
    history: penalises(sampling) ? padded(history) : undefined,
    banned: banned.size > 0 ? padded([...banned]) : undefined,
  });
}

/** Ids with −1 after them, up to a multiple of 256: buffers of few sizes, which are used again. */
function padded(ids: readonly number[]): tf.Tensor2D {
  const size = Math.ceil(ids.length / 256) * 256;
  const values = new Int32Array(size).fill(-1);
  values.set(ids);
  return tf.tensor2d(values, [1, size], 'int32');
}
