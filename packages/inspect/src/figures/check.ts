import { InputError } from '@headwise/core';
import type { AttentionMap } from '../attention-maps.js';

/** @throws InputError unless the tokens are a list of strings: a string would be a list of its characters */
export function checkList(name: string, tokens: readonly string[]): void {
  if (Array.isArray(tokens) && tokens.every((token) => typeof token === 'string')) return;
  const given =
    typeof tokens === 'string' ? `the string ${JSON.stringify(tokens)}` : String(tokens);
  throw new InputError(`${name} is ${given}; expected an array of strings, one a token`);
}

/** @throws InputError unless there is a token for each key, and one for each query */
export function checkTokens(
  { layer, rows, keys }: AttentionMap,
  tokens: readonly string[],
  queryTokens: readonly string[],
): void {
  checkList('tokens', tokens);
  checkList('queryTokens', queryTokens);
  if (tokens.length !== keys) {
    throw new InputError(`'${layer}' has ${keys} keys; got ${tokens.length} tokens`);
  }
  const last = Math.max(...rows);
  if (last >= queryTokens.length) {
    throw new InputError(`'${layer}' has a query ${last}; got ${queryTokens.length} query tokens`);
  }
}
