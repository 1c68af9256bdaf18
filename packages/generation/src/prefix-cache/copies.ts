import { type CacheStorage, KeyValueCache } from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';
import type { FoundPart } from './prefix-tree.js';

/** Some tokens of a sequence in a cache of their own, with room for no more; the caller's. */
export function partOf(
  cache: KeyValueCache,
  sequence: number,
  [from, to]: readonly [number, number],
  storage: CacheStorage,
): KeyValueCache {
  const part = new KeyValueCache({ capacity: to - from, storage });
  for (const path of cache.paths) {
    const { k, v } = cache.copy(path, sequence, from, to);
    part.append(path, k, v);
    tf.dispose([k, v]);
  }
  return part;
}

/**
 * Appends the tokens of parts to the sequences of an empty cache.
 *
 * @param found the parts of each sequence, in the order of their tokens; of one sequence at least
 * @param room tokens of a sequence that room is made for
 */
export function appendParts(
  cache: KeyValueCache,
  found: readonly (readonly FoundPart<KeyValueCache>[])[],
  room: number,
): void {
  const counts = found.map(countOf);
  const longest = Math.max(...counts);
  const { paths } = found.flat()[0]!.part;
  for (const path of paths) {
    tf.tidy(() => {
      const sequences = found.map((parts) => joined(path, parts));
      const { shape } = sequences.find((rows) => rows !== undefined)!.k;
      const rows = (which: 'k' | 'v') =>
        tf.concat(sequences.map((one) => padded(one?.[which], shape, longest)));
      cache.append(path, rows('k'), rows('v'), counts, room);
    });
  }
}

/** The number of tokens that were found. */
export const countOf = (parts: readonly FoundPart<KeyValueCache>[]): number =>
  parts.reduce((sum, { count }) => sum + count, 0);

/** A layer's rows of one sequence, `[1, Hkv, T, Dh]` each; undefined for one of no tokens. */
function joined(path: string, parts: readonly FoundPart<KeyValueCache>[]) {
  if (parts.length === 0) return undefined;
  const rows = parts.map(({ part, count }) => {
    const all = part.rowsOf(path);
    // Read where they lie, except for halves.
    const whole = count === part.length && all.k.dtype === 'float32';
    return whole ? all : part.copy(path, 0, 0, count);
  });
  return {
    k: tf.concat(
      rows.map(({ k }) => k),
      2,
    ),
    v: tf.concat(
      rows.map(({ v }) => v),
      2,
    ),
  };
}

/** Rows with zeros behind them, `[1, Hkv, longest, Dh]`. */
function padded(rows: tf.Tensor | undefined, shape: readonly number[], longest: number): tf.Tensor {
  const [, heads, , width] = shape as [number, number, number, number];
  const zeros = (tokens: number) => tf.zeros([1, heads, tokens, width]);
  if (!rows) return zeros(longest);
  const lacking = longest - rows.shape[2]!;
  return lacking > 0 ? tf.concat([rows, zeros(lacking)], 2) : rows;
}
