import type { LanguageModel } from '@headwise/core';
import { endScores, KeyValueCache, lastScores } from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';
import { Context } from './context-shift.js';
import type { CheckedScores } from './next-scores.js';
import type { CacheOptions } from './plan.js';
import { prefilled } from './prefix-cache/prefill.js';
import type { PrefixCache } from './prefix-cache/prefix-cache.js';

/** Scores by the model's own layers. */
export class LayerScores implements CheckedScores {
  readonly #network: LanguageModel;
  readonly #prefixCache: PrefixCache | undefined;
  readonly #scoresOf: typeof lastScores;
  readonly #cache: KeyValueCache;
  readonly #context: Context;
  #scores: tf.Tensor2D | undefined;

  /** @param scoresOf of the next token; default the model's own */
  constructor(
    network: LanguageModel,
    { storage, prefixCache, contextShift }: CacheOptions,
    scoresOf: typeof lastScores = lastScores,
  ) {
    this.#network = network;
    this.#scoresOf = scoresOf;
    this.#prefixCache = prefixCache;
    this.#cache = new KeyValueCache({ storage });
    this.#context = new Context(network.maxLength, contextShift);
  }

  after(sequence: readonly number[]): tf.Tensor2D {
    return this.afterEach(sequence, 1);
  }

  afterEach(sequence: readonly number[], count: number): tf.Tensor2D {
    if (this.#context.shift(sequence.length)) this.#cache.trim(0);
    const isPrompt = this.#context.whole && this.#cache.length === 0;
    const unseen = this.#context.after(this.#cache.length, sequence);
    this.#scores?.dispose();
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
    return this.#context.room(sequence.length);
  }

  keep(length: number): void {
    if (this.#cache.length > 0) this.#cache.trim(this.#context.lengthOf(length));
  }

  dispose(): void {
    this.#scores?.dispose();
    this.#cache.dispose();
  }
}
