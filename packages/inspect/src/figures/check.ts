import { InputError } from '@headwise/core';
import type { AttentionMap } from '../attention-maps.js';

/** @throws InputError unless there is a token for each key, and one for each query */
export function checkTokens(
  { layer, rows, keys }: AttentionMap,
  tokens: readonly string[],
  queryTokens: readonly string[],
): void {
  if (tokens.length !== keys) {
    throw new InputError(`'${layer}' has ${keys} keys; got ${tokens.length} tokens`);
  }
  const last = Math.max(...rows);
  if (last >= queryTokens.length) {
    throw new InputError(`'${layer}' has a query ${last}; got ${queryTokens.length} query tokens`);
  }
}
