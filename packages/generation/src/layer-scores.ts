import type { LanguageModel } from '@headwise/core';
import { type CacheStorage, KeyValueCache } from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';
import { endScores, lastScores } from './last-scores.js';
import type { CheckedScores } from './next-scores.js';
import type { Plan } from './plan.js';
import { prefilled } from './prefix-cache/prefill.js';
import type { PrefixCache } from './prefix-cache/prefix-cache.js';

/** Scores by the model's own layers. */
export class LayerScores implements CheckedScores {
  readonly #network: LanguageModel;
  readonly #storage: CacheStorage;
  readonly #prefixCache: PrefixCache | undefined;
  readonly #scoresOf: typeof lastScores;
  #cache: KeyValueCache;
  #scores: tf.Tensor2D | undefined;
  /** Where in the sequence the first cached token stands. */
  #first = 0;

  /** @param scoresOf of the next token; default the model's own */
  constructor(
    network: LanguageModel,
    { storage, prefixCache }: Pick<Plan, 'storage' | 'prefixCache'>,
    scoresOf: typeof lastScores = lastScores,
  ) {
    this.#network = network;
    this.#scoresOf = scoresOf;
    this.#storage = storage;
    this.#prefixCache = prefixCache;
    this.#cache = new KeyValueCache({ storage });
  }

  after(sequence: readonly number[]): tf.Tensor2D {
    return this.afterEach(sequence, 1);
  }

  afterEach(sequence: readonly number[], count: number): tf.Tensor2D {
    const { maxLength } = this.#network;
    if (sequence.length - this.#first > maxLength) {
      this.#cache.dispose();
      this.#cache = new KeyValueCache({ storage: this.#storage });
      this.#first = sequence.length - newerHalf(maxLength);
    }
    const unseen = sequence.slice(this.#first + this.#cache.length);
    this.#scores?.dispose();
    const isPrompt = this.#first + this.#cache.length === 0;
    this.#scores = prefilled(
      isPrompt ? this.#prefixCache : undefined,
      this.#network,
      [unseen],
      this.#cache,
      ([rest], cache) => this.#run(rest!, count, cache),
      count,
    );
    return this.#scores;
  }

  /** Processes the next tokens of the sequence; the scores after the last `count` of them. */
  #run(unseen: readonly number[], count: number, cache: KeyValueCache): tf.Tensor2D {
    return tf.tidy(() => {
      const ids = tf.tensor2d([...unseen], [1, unseen.length], 'int32');
      const ctx = { cache };
      if (count === 1) return this.#scoresOf(this.#network, ids, ctx);
      return endScores(this.#network, ids, ctx, count);
    });
  }

  room(sequence: readonly number[]): number {
    return this.#network.maxLength - (sequence.length - this.#first);
  }

  keep(length: number): void {
    if (this.#cache.length > 0) this.#cache.trim(Math.max(0, length - this.#first));
  }

  dispose(): void {
    this.#scores?.dispose();
    this.#cache.dispose();
  }
}

/** The tokens that a sequence goes on from where it has become too long. */
export const newerHalf = (maxLength: number): number => Math.max(1, maxLength >> 1);
