import { checkPart, type ForwardContext } from '@headwise/core';
import type { KeyValueCache } from './key-value-cache.js';

/**
 * The key-value cache of a forward pass; undefined if it has none.
 *
 * @throws InputError where `ctx.cache` is something else
 */
export function keyValueCacheOf(ctx: ForwardContext | undefined): KeyValueCache | undefined {
  const cache = ctx?.cache;
  if (cache === undefined) return undefined;
  checkPart('ctx.cache', cache, ['attend', 'once'], 'a KeyValueCache of @headwise/decoding');
  return cache as KeyValueCache;
}
