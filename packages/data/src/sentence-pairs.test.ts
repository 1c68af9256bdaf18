import { expect, test } from 'vitest';
import { collatedBatches, maskPairs, sentencePairs } from './index.js';

/** Documents whose tokens name their document and place: `100 · document + place`. */
const documents = (count: number, sentences: number, tokens = 2) =>
  Array.from({ length: count }, (_, d) =>
    Array.from({ length: sentences }, (_, s) =>
      Array.from({ length: tokens }, (_, t) => 100 * (d + 1) + s * tokens + t),
    ),
  );
const special = { firstId: 1, separatorId: 2 };
const parts = ({ ids }: { ids: ArrayLike<number> }) => {
  const all = Array.from(ids);
  const middle = all.indexOf(2);
  return [all.slice(1, middle), all.slice(middle + 1, -1)] as const;
};
const isRun = (ids: readonly number[]) => ids.every((id, i) => i === 0 || id === ids[i - 1]! + 1);

test('a pair is [CLS] A [SEP] B [SEP], B the run after A or a run of another document', () => {
  const pairs = sentencePairs(documents(20, 9), { ...special, length: 15, shortShare: 0.3 });
  expect(pairs.length).toBeGreaterThan(40);
  for (const pair of pairs) {
    const [a, b] = parts(pair);
    const { ids, typeIds, specialTokensMask } = pair;
    expect([ids[0], ids[a.length + 1], ids[ids.length - 1]]).toEqual([1, 2, 2]);
    expect(ids.length).toBeLessThanOrEqual(15);
    expect(typeIds).toEqual([
      ...new Array(a.length + 2).fill(0),
      ...new Array(b.length + 1).fill(1),
    ]);
    expect(specialTokensMask).toEqual(Array.from(ids, (id) => Number(id < 100)));
    expect([a.length > 0 && isRun(a), b.length > 0 && isRun(b)]).toEqual([true, true]);
    const documentOf = (part: readonly number[]) => Math.floor(part[0]! / 100);
    expect(documentOf(a) === documentOf(b)).toBe(pair.label === 0);
    if (pair.label === 0) expect(b[0]!).toBeGreaterThan(a.at(-1)!);
  }
});

test('swapped pairs have the sentences of one document, in the wrong order', () => {
  const pairs = sentencePairs(documents(20, 9), { ...special, length: 15, negatives: 'swapped' });
  expect(new Set(pairs.map(({ label }) => label))).toEqual(new Set([0, 1]));
  for (const pair of pairs) {
    const [a, b] = parts(pair);
    expect(a[0]! < b[0]!).toBe(pair.label === 0);
    expect(Math.floor(a[0]! / 100)).toBe(Math.floor(b[0]! / 100));
  }
  // A document of one sentence has no order.
  expect(sentencePairs([[[5]]], { ...special, length: 8, negatives: 'swapped' })).toEqual([]);
});

test('half of the pairs are negative, splits and other documents are uniform: chi-squared over 10,000 draws', () => {
  const chi = (counts: readonly number[]) => {
    const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length;
    return counts.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0);
  };
  // Three sentences fill a row, so that the first pair of a document has an A of one or two sentences.
  const [labels, splits, others] = [
    [0, 0],
    [0, 0],
    [0, 0, 0, 0],
  ];
  const given = documents(5, 3);
  for (let seed = 0; seed < 10_000; seed++) {
    const pairs = sentencePairs(given, { ...special, length: 9, shortShare: 0, seed });
    const first = pairs[0]!;
    labels[first.label]!++;
    const [a, b] = parts(first);
    if (first.label === 0) splits[a.length / 2 - 1]!++;
    else others[Math.floor(b[0]! / 100) - 2]!++;
  }
  // The 99.9 % points for 1 and 3 degrees of freedom.
  expect(chi(labels)).toBeLessThan(10.83);
  expect(chi(splits)).toBeLessThan(10.83);
  expect(chi(others)).toBeLessThan(16.27);
});

test('every sentence of a document comes in a pair, and pairs depend on the seed alone', () => {
  const given = documents(3, 7);
  const pairs = sentencePairs(given, { ...special, length: 11, shortShare: 0, seed: 4 });
  const firsts = new Set(
    pairs.flatMap((pair) => (pair.label === 0 ? parts(pair).flat() : parts(pair)[0])),
  );
  for (const id of given.flat(2)) expect(firsts).toContain(id);
  const same = (seed: number) =>
    sentencePairs(given, { ...special, length: 11, shortShare: 0, seed });
  expect(same(4)).toEqual(pairs);
  expect(same(5)).not.toEqual(pairs);
});

test('maskPairs masks as maskTokens, and keeps segments and labels', () => {
  const pairs = sentencePairs(documents(4, 5), { ...special, length: 15 });
  const batches = collatedBatches(pairs, maskPairs({ vocabSize: 600, maskId: 3, padId: 0 }), {
    batchSize: 4,
  });
  const { inputs, targets, tokenTypes, labels, mask, shape, examples } = batches.at(0);
  expect(labels).toEqual(Int32Array.from(examples, (n) => pairs[n]!.label));
  for (const [row, n] of examples.entries()) {
    const { ids, typeIds } = pairs[n]!;
    for (let i = 0; i < shape[1]; i++) {
      const at = row * shape[1] + i;
      expect(mask[at]).toBe(Number(i < ids.length));
      expect(tokenTypes[at]).toBe(typeIds[i] ?? 0);
      if (targets[at] === -100) expect(inputs[at]).toBe(ids[i] ?? 0);
      else expect(targets[at]).toBe(ids[i]);
    }
  }
});

test('pairs have the words of their sentences, which do not run into those of others', () => {
  // Each sentence has one word, number 0, of two tokens.
  const sentences = (document: number) =>
    [0, 1, 2, 3].map((n) => {
      const id = 100 * document + 10 * n;
      return { ids: [id, id + 1], wordIds: [0, 0] };
    });
  const given = [1, 2, 3].map(sentences);
  const pairs = sentencePairs(given, { ...special, length: 11, shortShare: 0 });
  // They are those of the ids alone.
  const alone = given.map((document) => document.map(({ ids }) => ids));
  expect(pairs.map(({ ids }) => ids)).toEqual(
    sentencePairs(alone, { ...special, length: 11, shortShare: 0 }).map(({ ids }) => ids),
  );
  for (const { ids, wordIds, specialTokensMask } of pairs) {
    for (const [i, word] of Array.from(wordIds!).entries()) {
      expect(word === null).toBe(specialTokensMask[i] === 1);
      if (i === 0 || word === null || wordIds![i - 1] === null) continue;
      const inOneWord = Math.floor(ids[i]! / 10) === Math.floor(ids[i - 1]! / 10);
      expect(word === wordIds![i - 1]).toBe(inOneWord);
    }
  }
  const masked = collatedBatches(
    pairs,
    maskPairs({ vocabSize: 600, maskId: 3, unit: 'word', share: 0.3 }),
    { batchSize: 4 },
  ).at(0);
  const { targets, examples, shape } = masked;
  for (const [row, n] of examples.entries()) {
    const { ids } = pairs[n]!;
    for (const [i, id] of Array.from(ids).entries()) {
      // The tokens of a word end in 0 and 1; a cut pair may hold one of them.
      if (id < 100 || id % 10 !== 0 || ids[i + 1] !== id + 1) continue;
      const at = row * shape[1] + i;
      expect(targets[at] === -100).toBe(targets[at + 1] === -100);
    }
  }
  const mixed = [[...given[0]!], [[500, 501]], [...given[2]!]];
  expect(sentencePairs(mixed, { ...special, length: 11 })[0]).not.toHaveProperty('wordIds');
});

test('what cannot be paired is refused by its place', () => {
  const options = { ...special, length: 15 };
  expect(() => sentencePairs([[[5], [6]]], options)).toThrow(
    'there are 1 documents, expected at least 2: the sentences of another are drawn',
  );
  expect(() => sentencePairs([[[5]], []], options)).toThrow(
    'document 1 has no sentences, expected at least one',
  );
  expect(() => sentencePairs([[[5]], [[6], []]], options)).toThrow(
    'document 1 has no tokens in its sentence 1, expected at least one',
  );
  expect(() => sentencePairs([[[5]], [[6]]], { ...special, length: 4 })).toThrow(
    'length is 4, expected a whole number of at least 5',
  );
});
