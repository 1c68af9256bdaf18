import type { LanguageModel } from '@headwise/core';
import type { KeyValueCache } from '@headwise/decoding';
import type { PrefixCache, RunTokens } from './prefix-cache.js';

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
