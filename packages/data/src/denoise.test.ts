import { chiSquaredP } from '@headwise/testing';
import { expect, test } from 'vitest';
import {
  collatedBatches,
  deleteTokens,
  denoising,
  hideTokens,
  infillText,
  permuteSentences,
  rotateDocument,
} from './index.js';
import { sfc32 } from './random.js';

const draws = 10_000;
const next = (stream = 0) => sfc32(1, stream);

/** How often each of some outcomes comes in 10,000 draws. */
function countsOf(outcomes: readonly string[], draw: (next: () => number) => string): number[] {
  const random = next();
  const counts = outcomes.map(() => 0);
  for (let i = 0; i < draws; i++) counts[outcomes.indexOf(draw(random))]!++;
  return counts;
}
const even = (count: number) => Array.from({ length: count }, () => 1 / count);

test('infilled spans have the lengths of a Poisson distribution with mean 3, over 10,000 draws', () => {
  const counts = Array.from({ length: 10 }, () => 0);
  const ids = Array.from({ length: 50_000 }, (_, i) => i + 10);
  const random = next();
  for (let spans = 0; spans < draws; ) {
    const noised = infillText({ maskId: 3 })(ids, random);
    expect(noised.filter((id) => id !== 3)).toHaveLength(35_000);
    // The length of a span that has a token on either side.
    for (let i = 1; i + 1 < noised.length; i++) {
      if (noised[i] !== 3 || noised[i - 1] === 3 || noised[i + 1] === 3) continue;
      counts[Math.min(9, noised[i + 1]! - noised[i - 1]! - 1)]!++;
      spans++;
    }
  }
  const shares: number[] = [];
  for (let k = 0, p = Math.exp(-3); k < 9; k++, p *= 3 / k) shares.push(p);
  shares.push(1 - shares.reduce((sum, p) => sum + p, 0));
  expect(chiSquaredP(counts, shares)).toBeGreaterThan(1e-3);
});

/** The chance that a Poisson number is below a bound. */
function poissonBelow(bound: number, mean: number): number {
  let [sum, term] = [0, Math.exp(-mean)];
  for (let k = 0; k < bound; k++, term *= mean / k) sum += term;
  return sum;
}

test.each([
  [1, 1],
  [3, 1],
  [10, 3],
  [11, 4],
  [40, 12],
])(
  'of %i tokens %i are covered, by as many masks as spans are drawn, over 10,000 draws',
  (length, covered) => {
    const ids = Array.from({ length }, (_, i) => i + 10);
    const random = next();
    const most = 9;
    const counts = new Array<number>(most).fill(0);
    for (let i = 0; i < draws; i++) {
      const noised = infillText({ maskId: 3 })(ids, random);
      const kept = noised.filter((id) => id !== 3);
      const isInOrder = kept.every((id, n) => n === 0 || id > kept[n - 1]!);
      if (kept.length !== length - covered || !isInOrder) throw new Error(noised.join());
      counts[Math.min(most, noised.length - kept.length) - 1]!++;
    }
    // `n` spans are drawn where the first `n − 1` cover too few: a sum of `n` Poisson numbers has the mean `3 n`.
    const tooFew = (spans: number) => poissonBelow(covered, 3 * spans);
    const shares = counts.map((_, i) => tooFew(i) - (i + 1 < most ? tooFew(i + 1) : 0));
    expect(chiSquaredP(counts, shares)).toBeGreaterThan(1e-3);
  },
);

test('spans lie anywhere: which token is left of two is uniform', () => {
  const outcomes = ['3 8', '7 3'];
  const counts = countsOf(outcomes, (random) => {
    for (;;) {
      // A span of one token, without masks that were inserted.
      const noised = infillText({ maskId: 3, share: 0.5 })([7, 8], random).join(' ');
      if (outcomes.includes(noised)) return noised;
    }
  });
  expect(chiSquaredP(counts, even(2))).toBeGreaterThan(1e-3);
});

test('sentences come in every order alike, and keep their tokens', () => {
  const noise = permuteSentences((id) => id === 9);
  const [a, b, c] = ['1 9', '2 3 9 9', '4'];
  const outcomes = [
    [a, b, c],
    [a, c, b],
    [b, a, c],
    [b, c, a],
    [c, a, b],
    [c, b, a],
  ].map((order) => order.join(' '));
  const counts = countsOf(outcomes, (random) => noise([1, 9, 2, 3, 9, 9, 4], random).join(' '));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(draws);
  expect(chiSquaredP(counts, even(6))).toBeGreaterThan(1e-3);
});

test('a document begins at every token alike', () => {
  const ids = [5, 6, 7, 8];
  const outcomes = ['5 6 7 8', '6 7 8 5', '7 8 5 6', '8 5 6 7'];
  const counts = countsOf(outcomes, (random) => rotateDocument(ids, random).join(' '));
  expect(chiSquaredP(counts, even(4))).toBeGreaterThan(1e-3);
  expect(rotateDocument([], next())).toEqual([]);
});

test('tokens are deleted and masked independently, each with its probability', () => {
  const outcomes = ['5 6', '6', '5', ''];
  const deleted = countsOf(outcomes, (random) => deleteTokens(0.2)([5, 6], random).join(' '));
  expect(chiSquaredP(deleted, [0.64, 0.16, 0.16, 0.04])).toBeGreaterThan(1e-3);
  const hidden = countsOf(['5 6', '3 6', '5 3', '3 3'], (random) =>
    hideTokens({ maskId: 3, share: 0.2 })([5, 6], random).join(' '),
  );
  expect(chiSquaredP(hidden, [0.64, 0.16, 0.16, 0.04])).toBeGreaterThan(1e-3);
});

test('denoising makes sources of the noises in order, and targets of the documents', () => {
  const reversed = (ids: readonly number[]) => ids.toReversed();
  const noises = [reversed, (ids: readonly number[]) => ids.slice(1)];
  const batch = denoising({ noises, firstId: 0, endId: 2, padId: 1 })(
    [{ ids: [5, 6, 7] }, { ids: [8] }],
    next(),
  );
  expect(batch).toEqual({
    sources: Int32Array.of(0, 6, 5, 2, 0, 2, 1, 1),
    sourceMask: Int32Array.of(1, 1, 1, 1, 1, 1, 0, 0),
    targets: Int32Array.of(0, 5, 6, 7, 2, 0, 8, 2, -100, -100),
    shape: [2, 4, 5],
  });
  const documents = Array.from({ length: 7 }, (_, n) => ({ ids: [n + 10, 9, n + 20, 9, n + 30] }));
  const bart = denoising({
    noises: [permuteSentences((id) => id === 9), infillText({ maskId: 3 })],
    endId: 2,
  });
  const at = (seed: number) => collatedBatches(documents, bart, { batchSize: 3, seed }).at(2);
  expect(at(1)).toEqual(at(1));
  expect(at(1).sources).not.toEqual(at(2).sources);
});

test('noises and documents that cannot be are refused by name', () => {
  expect(() => denoising({ noises: [], endId: 2 })).toThrow(
    'noises is empty, expected at least one',
  );
  const collate = denoising({ noises: [rotateDocument], endId: 2, length: 3 });
  expect(() => collate([{ ids: [5] }, { ids: [] }], next())).toThrow(
    'document 1 of a batch has 0 tokens, 1 of its source or target; expected at least 1, and at most 3',
  );
  expect(() => collate([{ ids: [5, 6, 7] }], next())).toThrow(
    'document 0 of a batch has 3 tokens, 4 of its source or target; expected at least 1, and at most 3',
  );
  expect(() => infillText({ maskId: 3, share: 1.5 })).toThrow(
    'share is 1.5, expected a number from 0 to 1',
  );
  expect(() => infillText({ maskId: 3, meanLength: 0 })).toThrow(
    'meanLength is 0, expected a number above 0, at most 100',
  );
  expect(() => deleteTokens(-1)).toThrow('share is -1, expected a number from 0 to 1');
});
