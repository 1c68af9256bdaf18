import { chiSquaredP } from '@headwise/testing';
import { expect, test } from 'vitest';
import { collatedBatches, type EncodedText, maskTokens } from './index.js';

const [vocabSize, maskId, padId] = [23, 3, 0];
const draws = 10_000;
const text = (ids: number[], more: Partial<EncodedText> = {}): EncodedText => ({ ids, ...more });
/** `[CLS]`, five tokens in three words, `[SEP]`. */
const sentence = text([1, 10, 11, 12, 13, 14, 2], {
  specialTokensMask: [1, 0, 0, 0, 0, 0, 1],
  wordIds: [null, 0, 0, 1, 2, 2, null],
});
const batchesOf = (options: Parameters<typeof maskTokens>[0], rows = [sentence]) =>
  collatedBatches(rows, maskTokens(options), { batchSize: rows.length, seed: 5 });

/** The probabilities of outcomes given that it is not the first. */
const withoutFirst = ([first, ...others]: number[]) => [
  0,
  ...others.map((probability) => probability / (1 - first!)),
];

test('what becomes of a token is distributed as in DataCollatorForLanguageModeling, where it chooses one', () => {
  const batches = batchesOf({ vocabSize, maskId });
  const kinds = [0, 0, 0, 0];
  /** By the tokens that are chosen, a bit each. */
  const chosen = new Array<number>(32).fill(0);
  const words = new Array<number>(vocabSize).fill(0);
  for (let n = 0; n < draws; n++) {
    const { inputs, targets } = batches.at(n);
    if (targets[0] !== -100 || targets[6] !== -100) throw new Error('a special token was chosen');
    const [input, target] = [inputs[1]!, targets[1]!];
    const kind = target === -100 ? 0 : input === maskId ? 1 : input === 10 ? 2 : 3;
    kinds[kind]!++;
    chosen[targets.subarray(1, 6).reduce((bits, id, i) => bits + (id === -100 ? 0 : 2 ** i), 0)]!++;
    for (let i = 1; i < 6; i++) {
      const random = targets[i] !== -100 && inputs[i] !== maskId && inputs[i] !== 9 + i;
      if (random) words[inputs[i]!]!++;
    }
  }
  const random = 0.1 / vocabSize;
  const first = 0.15 / (1 - 0.85 ** 5);
  const expected = [
    1 - first,
    ...[0.8 + random, 0.1 + random, 0.1 - 2 * random].map((share) => first * share),
  ];
  expect(chiSquaredP(kinds, expected)).toBeGreaterThan(1e-3);
  const independent = chosen.map((_, bits) => {
    const count = [0, 1, 2, 3, 4].filter((i) => bits & (1 << i)).length;
    return 0.15 ** count * 0.85 ** (5 - count);
  });
  expect(chiSquaredP(chosen, withoutFirst(independent))).toBeGreaterThan(1e-3);
  // A random token shows where it is neither the mask nor the token itself, one of five.
  const shows = words.map((_, id): number => (id === maskId ? 0 : id >= 10 && id <= 14 ? 4 : 5));
  const all = shows.reduce((sum, n) => sum + n, 0);
  expect(
    chiSquaredP(
      words,
      shows.map((n) => n / all),
    ),
  ).toBeGreaterThan(1e-3);
});

test('of a long row each token is chosen with the same probability, whatever the others are', () => {
  const length = 64;
  const row = text(Array.from({ length }, () => 10));
  const batches = batchesOf({ vocabSize, maskId }, [row]);
  const places = new Array<number>(length).fill(0);
  const counts = new Array<number>(length + 1).fill(0);
  for (let n = 0; n < draws; n++) {
    const { targets } = batches.at(n);
    const chosen = [...targets.keys()].filter((i) => targets[i] !== -100);
    counts[chosen.length]!++;
    for (const i of chosen) places[i]!++;
  }
  let probability = 0.85 ** length;
  const binomial = counts.map((_, k) => {
    const own = probability;
    probability *= ((length - k) / (k + 1)) * (0.15 / 0.85);
    return own;
  });
  expect(chiSquaredP(counts, withoutFirst(binomial))).toBeGreaterThan(1e-3);
  expect(
    chiSquaredP(
      places,
      places.map(() => 1 / length),
    ),
  ).toBeGreaterThan(1e-3);
});

test('each row has a token to predict, however small the share is', () => {
  const rows = [[7], [7, 8], [7, 8, 9]].map((ids) => text(ids, { wordIds: ids }));
  for (const unit of ['token', 'word', 'span'] as const) {
    const batches = batchesOf({ vocabSize, maskId, unit, share: 1e-12 }, rows);
    const places = [0, 0, 0];
    for (let n = 0; n < 3000; n++) {
      const { targets, examples, shape } = batches.at(n);
      for (const [row, example] of examples.entries()) {
        const own = targets.subarray(row * shape[1], (row + 1) * shape[1]);
        const chosen = [...own.keys()].filter((i) => own[i] !== -100);
        if (chosen.length !== 1) throw new Error(`${unit}: ${chosen.length} were chosen`);
        if (example === 2) places[chosen[0]!]!++;
      }
    }
    expect(chiSquaredP(places, [1 / 3, 1 / 3, 1 / 3]), unit).toBeGreaterThan(1e-3);
  }
});

test('words are chosen whole and independently, and become the mask alone where that is asked', () => {
  const batches = batchesOf({ vocabSize, maskId, unit: 'word', masked: 1, random: 0, share: 0.3 });
  const counts = new Array<number>(8).fill(0);
  for (let n = 0; n < draws; n++) {
    const { inputs, targets } = batches.at(n);
    const seen = Array.from(targets, (target) => target !== -100);
    if (seen[1] !== seen[2] || seen[4] !== seen[5]) throw new Error('a word was cut');
    if (seen.some((hidden, i) => inputs[i] !== (hidden ? maskId : sentence.ids[i]))) {
      throw new Error(`the row became ${inputs.join()}`);
    }
    counts[Number(seen[1]) + 2 * Number(seen[3]) + 4 * Number(seen[4])]!++;
  }
  const each = (bit: number) => (bit ? 0.3 : 0.7);
  const expected = counts.map((_, k) => each(k & 1) * each(k & 2) * each(k & 4));
  expect(chiSquaredP(counts, withoutFirst(expected))).toBeGreaterThan(1e-3);
});

test('spans cover the share of each row, in runs whose tokens are replaced alike', () => {
  const length = 60;
  const row = text(
    Array.from({ length }, () => 20),
    { wordIds: Array.from({ length }, (_, i) => i) },
  );
  const batches = batchesOf({ vocabSize: 1e9, maskId, unit: 'span', share: 0.25 }, [row]);
  let runs = 0;
  for (let n = 0; n < 500; n++) {
    const { targets } = batches.at(n);
    const chosen = targets.filter((target) => target === 20).length;
    if (chosen !== 15) throw new Error(`${chosen} of 60 tokens were chosen`);
    targets.forEach((target, i) => {
      if (target === 20 && targets[i - 1] !== 20) runs++;
    });
  }
  // Single tokens would lie in 11.25 runs a row: (n + 1 − k) k / n.
  expect(runs / 500).toBeGreaterThan(2);
  expect(runs / 500).toBeLessThan(7);
});

test('a batch depends on its number alone, pads rows, and is drawn anew every epoch', () => {
  const short = text([7, 8], { typeIds: [0, 1] });
  const make = () => batchesOf({ vocabSize, maskId, padId, share: 0.5 }, [sentence, short]);
  const batches = make();
  const seen = [0, 1, 2, 3].map((n) => batches.at(n));
  const backwards = [3, 2, 1, 0].map((n) => make().at(n)).reverse();
  expect(backwards).toEqual(seen);
  expect(new Set(seen.map(({ inputs }) => inputs.join())).size).toBe(4);
  const { shape, mask, tokenTypes, examples } = seen[0]!;
  expect(shape).toEqual([2, 7]);
  const at = examples.indexOf(1) * 7;
  expect([...mask.subarray(at, at + 7)]).toEqual([1, 1, 0, 0, 0, 0, 0]);
  expect([...tokenTypes.subarray(at, at + 7)]).toEqual([0, 1, 0, 0, 0, 0, 0]);
});

test('what cannot be masked is refused', () => {
  const of = (options: object, rows?: EncodedText[]) => () =>
    batchesOf({ vocabSize, maskId, ...options }, rows).at(0);
  expect(of({ share: 1.5 })).toThrow('share is 1.5, expected a number from 0 to 1');
  expect(of({ share: 0 })).toThrow('share is 0, expected more: each row has a token to predict');
  const special = text([1, 2], { specialTokensMask: [1, 1], wordIds: [null, null] });
  for (const unit of ['token', 'word', 'span']) {
    expect(of({ unit }, [special])).toThrow(
      'row 0 of a batch has 2 special tokens and no others, expected at least one to predict',
    );
  }
  expect(of({ masked: 0.8, random: 0.3 })).toThrow('masked + random is 1.1');
  expect(of({ vocabSize: 0 })).toThrow('vocabSize is 0');
  expect(of({ unit: 'word' }, [text([4, 5])])).toThrow('an encoding has no wordIds');
  expect(of({ length: 5 })).toThrow(
    'row 0 of a batch has 7 tokens, expected at least 1 and at most 5',
  );
  expect(of({}, [text([])])).toThrow('row 0 of a batch has 0 tokens, expected at least 1');
  expect(() => collatedBatches([], maskTokens({ vocabSize, maskId }), { batchSize: 1 })).toThrow(
    'there are no examples',
  );
});
