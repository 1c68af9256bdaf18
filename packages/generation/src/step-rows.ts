import type { LanguageModel } from '@headwise/core';
import { paddedRows } from '@headwise/core/internal';
import {
  type CacheStorage,
  KeyValueCache,
  lastScores,
  StepLoop,
  type StepPlan,
} from '@headwise/decoding';
import { checkedSampling } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import type { BatchScores } from './next-scores.js';
import { prefilled } from './prefix-cache/prefill.js';
import type { PrefixCache, RunTokens } from './prefix-cache/prefix-cache.js';

/**
 * Scores of a batch by the model's fused step, a row for each sequence. Its layers process the prompts, and give the scores after them.
 *
 * Each sequence has a place in the cache. One that leaves gives it back; nothing is moved, so that recordings stay.
 */
export class StepRows implements BatchScores {
  readonly #network: LanguageModel;
  readonly #plan: StepPlan;
  readonly #storage: CacheStorage;
  readonly #prefixCache: PrefixCache | undefined;
  readonly #cache: KeyValueCache;
  readonly #loop: StepLoop;
  /** The place of each sequence. */
  #places: readonly number[] = [];

  /** @param plan disposed with this */
  constructor(
    network: LanguageModel,
    plan: StepPlan,
    storage: CacheStorage,
    prefixCache: PrefixCache | undefined,
  ) {
    this.#network = network;
    this.#plan = plan;
    this.#storage = storage;
    this.#prefixCache = prefixCache;
    this.#cache = new KeyValueCache({ storage });
    const { maxLength } = network;
    this.#loop = new StepLoop(plan, this.#cache, { sampling: checkedSampling({}), maxLength });
  }

  after(ids: readonly number[], joining: readonly (readonly number[])[] = []): tf.Tensor2D {
    const joined = joining.length > 0 ? this.#join(joining) : undefined;
    if (ids.length === 0) return joined!;
    const { starts } = this.#cache;
    const tokens = ids.map((id, row) => {
      const place = this.#places[row]!;
      return { id, place, position: starts[place]! };
    });
    // A recording's own: not made in a tidy.
    const going = this.#loop.logits(tokens);
    if (!joined) return going.clone();
    try {
      return tf.concat([going, joined]);
    } finally {
      joined.dispose();
    }
  }

  reorder(order: readonly number[]): void {
    const before = this.#places;
    const free = this.#freeAmong(new Set(order.map((row) => before[row]!)), order.length);
    const taken = new Set<number>();
    const copied = new Map<number, number>();
    this.#places = order.map((row) => {
      const place = before[row]!;
      if (!taken.has(place)) {
        taken.add(place);
        return place;
      }
      const other = free.shift()!;
      copied.set(other, place);
      return other;
    });
    if (copied.size > 0) {
      this.#loop.reserve(this.#cache.length, Math.max(...this.#places) + 1);
      this.#cache.put(
        this.#cache,
        this.#cache.starts.map((_, place) => copied.get(place)),
      );
    }
    const live = new Set(this.#places);
    this.#cache.trim(this.#cache.starts.map((length, place) => (live.has(place) ? length : 0)));
  }

  dispose(): void {
    this.#loop.dispose();
    this.#cache.dispose();
    this.#plan.dispose();
  }

  /** Puts prompts into free places of the cache; the scores after each, `[N, V]`. */
  #join(prompts: readonly (readonly number[])[]): tf.Tensor2D {
    const free = this.#freeAmong(new Set(this.#places), this.#places.length + prompts.length);
    const places = prompts.map(() => free.shift()!);
    this.#places = [...this.#places, ...places];
    const longest = Math.max(...prompts.map(({ length }) => length));
    this.#loop.reserve(longest, Math.max(...this.#places) + 1);
    const cache = new KeyValueCache({ storage: this.#storage });
    try {
      const run: RunTokens<tf.Tensor2D> = (sequences, cache) =>
        tf.tidy(() => {
          const { ids, lengths } = paddedRows(sequences);
          return lastScores(this.#network, ids, { cache, lengths }, lengths);
        });
      const scores = prefilled(this.#prefixCache, this.#network, prompts, cache, run);
      const from = new Map(places.map((place, n) => [place, n]));
      this.#cache.put(
        cache,
        this.#cache.starts.map((_, place) => from.get(place)),
      );
      return scores;
    } finally {
      cache.dispose();
    }
  }

  /** The first places that others do not have, enough for some sequences. */
  #freeAmong(taken: ReadonlySet<number>, sequences: number): number[] {
    return Array.from({ length: sequences }, (_, place) => place).filter(
      (place) => !taken.has(place),
    );
  }
}
