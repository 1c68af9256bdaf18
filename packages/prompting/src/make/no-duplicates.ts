import { InputError } from '@headwise/core';
import { MinHash } from '@headwise/data';
import { checkCount } from '../check-count.js';
import { type RowFilter, refused } from './row-filter.js';

/** Options of `noDuplicates`. */
export interface NoDuplicatesOptions {
  /** Words that are compared as one. Default 3, as instructions are short. */
  readonly shingle?: number | undefined;
  /** The Jaccard similarity of shingles from which two texts are duplicates, above 0 and at most 1. Default 0.7. */
  readonly similarity?: number | undefined;
}

/**
 * Leaves out rows that nearly repeat one that was kept: texts whose shingles of words have at least a Jaccard similarity.
 *
 * MinHash finds the candidates, among which the similarity is computed; numbers count, case and punctuation do not.
 *
 * @throws InputError for options out of range
 */
export function noDuplicates({
  shingle = 3,
  similarity = 0.7,
}: NoDuplicatesOptions = {}): RowFilter {
  checkCount('shingle', shingle, 1);
  if (!(similarity > 0 && similarity <= 1)) {
    throw new InputError(`similarity is ${similarity}; expected a number above 0 and at most 1`);
  }
  // A pair of similarity 0.7 shares one of 32 bands of 4 hashes with a probability of 1 − (1 − 0.7⁴)³² > 0.999.
  const hashes = new MinHash({ shingle, bands: 32, hashes: 4 });
  const kept: ReadonlySet<string>[] = [];
  const byKey = new Map<string, number[]>();
  const keysOf = (text: string): string[] => {
    const near = hashes.keys(text);
    if (!near) return [wordsOf(text).join(' ')];
    return Array.from({ length: near.length / 4 }, (_, n) =>
      near.subarray(4 * n, 4 * n + 4).join(' '),
    );
  };
  const shinglesOf = (text: string) => wordShingles(text, shingle);
  return {
    settings: `duplicates ${shingle} ${similarity}`,
    check: ({ unique }) => {
      const own = shinglesOf(unique);
      const candidates = new Set(keysOf(unique).flatMap((key) => byKey.get(key) ?? []));
      const isNear = [...candidates].some((n) => jaccard(own, kept[n]!) >= similarity);
      return isNear ? refused('duplicate', 'nearly repeats a row before it') : undefined;
    },
    keep: (unique) => {
      const n = kept.push(shinglesOf(unique)) - 1;
      for (const key of keysOf(unique)) {
        const there = byKey.get(key);
        if (there) there.push(n);
        else byKey.set(key, [n]);
      }
    },
  };
}

/** The words and numbers of a text, in lower case. */
export const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

/** Every run of some words of a text, joined by spaces; a shorter text is one. */
export function wordShingles(text: string, shingle: number): ReadonlySet<string> {
  const words = wordsOf(text);
  const count = Math.max(1, words.length - shingle + 1);
  return new Set(Array.from({ length: count }, (_, n) => words.slice(n, n + shingle).join(' ')));
}

/** `|A ∩ B| / |A ∪ B|`. */
export function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const one of a) if (b.has(one)) shared++;
  return shared / (a.size + b.size - shared);
}
