import type { LanguageModel } from '@headwise/core';
import { PrefixCache } from '@headwise/generation';

/** The prefix caches of several networks, which share one bound of memory. */
export class PrefixCaches {
  readonly #maxBytes: number;
  /** The one that was used last is at the end. */
  readonly #caches = new Map<LanguageModel, PrefixCache>();

  /** @param maxBytes of all caches together; 0 for none */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The memory of the stored keys and values, in bytes. */
  get bytes(): number {
    return this.#all.reduce((sum, cache) => sum + cache.bytes, 0);
  }

  /** The number of tokens of prompts whose keys and values were copied, not computed. */
  get reusedTokens(): number {
    return this.#all.reduce((sum, cache) => sum + cache.reusedTokens, 0);
  }

  /** The cache of a network's prompts; undefined where none are kept. */
  of(network: LanguageModel): PrefixCache | undefined {
    if (this.#maxBytes === 0) return undefined;
    const cache = this.#caches.get(network) ?? new PrefixCache(network);
    this.#caches.delete(network);
    this.#caches.set(network, cache);
    return cache;
  }

  /** Forgets prompts, first those of networks that were not used for longest, until the rest fits the bound. */
  evict(): void {
    for (const cache of this.#all) {
      const excess = this.bytes - this.#maxBytes;
      if (excess <= 0) return;
      cache.evict(Math.max(0, cache.bytes - excess));
    }
  }

  dispose(): void {
    for (const cache of this.#all) cache.dispose();
    this.#caches.clear();
  }

  get #all(): PrefixCache[] {
    return [...this.#caches.values()];
  }
}
