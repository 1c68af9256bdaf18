import { expect, test } from 'vitest';
import { nearDuplicate, passages } from '../goldens/planted-duplicates.node.js';
import { fraction, sfc32 } from '../random.js';
import { findDuplicates } from './find-duplicates.js';
import { MinHash } from './minhash.js';

/** Every passage of Moby-Dick with `HEADWISE_TESTS=full`. */
const most = process.env.HEADWISE_TESTS === 'full' ? Number.POSITIVE_INFINITY : 120;

/** The documents in which a copy was found of the first half's, and those that are no copy and were taken for one. */
async function planted(similarity: (next: () => number) => number) {
  const originals = passages(300).slice(0, most);
  const next = sfc32(7, 0);
  const copies = originals.map((words, i) => nearDuplicate(words, similarity(next), i));
  const texts = [...originals, ...copies].map((words) => ({ text: words.join(' ') }));
  const hasher = new MinHash();
  const found = await findDuplicates(
    (async function* () {
      yield* texts;
    })(),
    (text) => hasher.keys(text),
  );
  const count = originals.length;
  const clusters = texts.map((_, i) => found.firstOf(i));
  return {
    count,
    found: copies.filter((_, i) => clusters[count + i] === clusters[i]).length,
    wrong: texts.filter((_, i) => clusters[i] !== i && clusters[i] !== i % count).length,
  };
}

test('of planted copies at Jaccard 0.8 to 0.9 at least 95 % are found, and at most 1 % of others', async () => {
  const { count, found, wrong } = await planted((next) => 0.8 + 0.1 * fraction(next));
  expect(found / count).toBeGreaterThanOrEqual(0.95);
  expect(wrong / count).toBeLessThanOrEqual(0.01);
});

test('of copies at Jaccard 0.5 few are found: 1 − (1 − 0.5⁸)¹⁴ is 5 %', async () => {
  const { count, found } = await planted(() => 0.5);
  expect(found / count).toBeLessThan(0.15);
});
