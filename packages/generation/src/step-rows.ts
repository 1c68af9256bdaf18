import type { LanguageModel } from '@headwise/core';
import { paddedRows } from '@headwise/core/internal';
import { type CacheStorage, KeyValueCache, StepLoop, type StepPlan } from '@headwise/decoding';
import { checkedSampling } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import type { BatchScores } from './next-scores.js';
import { prefilled } from './prefix-cache/prefill.js';
import type { PrefixCache } from './prefix-cache/prefix-cache.js';

/**
 * Scores of a batch by the model's fused step, a row for each sequence, after its layers have processed the prompts.
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
    if (joining.length > 0) this.#join(joining);
    const { starts } = this.#cache;
    const all = [...ids, ...joining.map((prompt) => prompt.at(-1)!)];
    const tokens = all.map((id, row) => {
      const place = this.#places[row]!;
      return { id, place, position: starts[place]! };
    });
    return this.#loop.logits(tokens).clone();
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

  /** Puts all tokens of prompts but the last into free places of the cache. */
  #join(prompts: readonly (readonly number[])[]): void {
    const free = this.#freeAmong(new Set(this.#places), this.#places.length + prompts.length);
    const places = prompts.map(() => free.shift()!);
    this.#places = [...this.#places, ...places];
    const longest = Math.max(...prompts.map(({ length }) => length));
    this.#loop.reserve(longest, Math.max(...this.#places) + 1);
    // A prompt of one token is all for the step.
    const before = prompts.map((ids) => ids.slice(0, -1));
    const given = before.flatMap((ids, n) => (ids.length > 0 ? [{ ids, place: places[n]! }] : []));
    if (given.length === 0) return;
    const cache = new KeyValueCache({ storage: this.#storage });
    try {
      const beginnings = given.map((one) => one.ids);
      prefilled(this.#prefixCache, this.#network, beginnings, cache, (sequences, cache) =>
        tf.tidy(() => {
          const { ids, lengths } = paddedRows(sequences);
          const { head } = this.#network;
          if (head) head.hidden(ids, { cache, lengths });
          else this.#network.forward(ids, { cache, lengths });
        }),
      );
      const from = new Map(given.map(({ place }, n) => [place, n]));
      this.#cache.put(
        cache,
        this.#cache.starts.map((_, place) => from.get(place)),
      );
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
