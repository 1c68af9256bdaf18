import { InputError } from '@headwise/core';
import type { AttentionMap } from './attention-maps.js';

/**
 * The share of a query's attention that lies on some patches of a picture, the mean over the map's heads: 0 to 1, of all keys.
 *
 * @param map of keys that are patches behind `before` others
 * @param patches their numbers, from left to right, then from the top down
 * @param before the keys before the first patch's; default 1, ViT's first vector
 * @throws InputError for a query or a patch that the map does not have
 */
export function patchShare(
  map: AttentionMap,
  query: number,
  patches: Iterable<number>,
  before = 1,
): number {
  const weights = meanWeights(map, query);
  let share = 0;
  for (const patch of patches) {
    if (!(Number.isInteger(patch) && patch >= 0 && before + patch < map.keys)) {
      throw new InputError(
        `'${map.layer}' has no patch ${patch}; expected 0 to ${map.keys - before - 1}`,
      );
    }
    share += weights[before + patch]!;
  }
  return share;
}

/**
 * The weights of a query, the mean over the map's heads.
 *
 * @returns `[Tk]`
 */
export function meanWeights(map: AttentionMap, query: number): Float32Array {
  const { layer, heads, rows, keys, values } = map;
  const row = rows.indexOf(query);
  if (row < 0) throw new InputError(`'${layer}' has no query ${query}; it has ${rows.join(', ')}`);
  const mean = new Float32Array(keys);
  for (let head = 0; head < heads.length; head++) {
    const from = (head * rows.length + row) * keys;
    for (let key = 0; key < keys; key++) mean[key]! += values[from + key]! / heads.length;
  }
  return mean;
}
