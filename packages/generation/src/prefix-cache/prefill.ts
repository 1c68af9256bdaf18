import type { LanguageModel } from '@headwise/core';
import type { KeyValueCache } from '@headwise/decoding';
import type { PrefixCache } from './prefix-cache.js';

/** Puts the tokens of some sequences into a cache by a forward pass. */
export type RunTokens<T> = (sequences: readonly (readonly number[])[], cache: KeyValueCache) => T;

/** Puts prompts into an empty cache; where there is a prefix cache, `run` gets only what that does not have. */
export function prefilled<T>(
  prefixCache: PrefixCache | undefined,
  network: LanguageModel,
  prompts: readonly (readonly number[])[],
  cache: KeyValueCache,
  run: RunTokens<T>,
  least = 1,
): T {
  if (!prefixCache) return run(prompts, cache);
  return prefixCache.prefill(network, prompts, cache, run, least);
}
