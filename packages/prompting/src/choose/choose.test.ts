import { createModel } from '@headwise/models';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import {
  balancedExamples,
  bm25Similarity,
  diverseExamples,
  embeddingSimilarity,
  firstExamples,
  maximalMarginalRelevance,
  randomExamples,
  type Similarity,
  shuffledExamples,
  similarExamples,
} from '../index.js';

const pool = Array.from({ length: 12 }, (_, n) => ({ n, label: ['a', 'b', 'c'][n % 3]! }));
const numbers = (examples: readonly { n: number }[]) => examples.map(({ n }) => n);

test('queries at the same time share one index of the pool', async () => {
  let indexed = 0;
  const similarity: Similarity = {
    index: (texts) => {
      indexed++;
      return bm25Similarity().index(texts);
    },
  };
  const texts = ['whale ship', 'ship crew', 'white whale'].map((text) => ({ text }));
  const choose = similarExamples(texts, { text: ({ text }: { text: string }) => text, similarity });
  const found = await Promise.all([choose({ text: 'crew' }, 1), choose({ text: 'white' }, 1)]);
  expect(found).toEqual([[{ text: 'ship crew' }], [{ text: 'white whale' }]]);
  expect(indexed).toBe(1);
});

describe('choices that do not depend on the query', () => {
  test('the first', async () => {
    const choose = firstExamples(pool);
    expect(numbers(await choose({}, 3))).toEqual([0, 1, 2]);
    expect(await choose({}, 0)).toEqual([]);
    await expect(choose({}, 13)).rejects.toThrow(
      '13 examples are asked for; expected a whole number from 0 to 12, those of the pool',
    );
    await expect(choose({}, 1.5)).rejects.toThrow('1.5 examples are asked for');
  });

  test('at random by a seed: the same for every query, and fewer are among more', async () => {
    const choose = randomExamples(pool, { seed: 3 });
    const four = numbers(await choose('x', 4));
    expect(numbers(await choose('y', 4))).toEqual(four);
    expect(numbers(await choose('x', 2))).toEqual(four.slice(0, 2));
    expect(numbers(await randomExamples(pool, { seed: 3 })('x', 4))).toEqual(four);
    expect(numbers(await randomExamples(pool, { seed: 4 })('x', 4))).not.toEqual(four);
    expect(new Set(numbers(shuffledExamples(pool, 9))).size).toBe(12);
    // Each example is first for about a twelfth of the seeds.
    const firsts = Array.from({ length: 600 }, (_, seed) => shuffledExamples(pool, seed)[0]!.n);
    const counts = pool.map(({ n }) => firsts.filter((first) => first === n).length);
    expect(Math.min(...counts)).toBeGreaterThan(25);
  });

  test('balanced by label', async () => {
    const choose = balancedExamples(pool, { label: ({ label }) => label, seed: 1 });
    const seven = await choose({}, 7);
    const counts = ['a', 'b', 'c'].map(
      (name) => seven.filter(({ label }) => label === name).length,
    );
    expect(counts.sort()).toEqual([2, 2, 3]);
    expect(new Set(numbers(seven)).size).toBe(7);
    expect((await choose({}, 4)).slice(0, 3)).toEqual(seven.slice(0, 3));
    const uneven = balancedExamples(pool.slice(0, 4), { label: ({ label }) => label, seed: 1 });
    expect(await uneven({}, 3)).toHaveLength(3);
    // Of 'a' there are two, of the others one.
    const skewed = [...pool.filter(({ label }) => label === 'a'), pool[1]!];
    const short = balancedExamples(skewed, { label: ({ label }) => label, seed: 1 });
    await expect(short({}, 4)).rejects.toThrow(
      "4 examples of 2 labels are asked for; the pool has 1 of the label 'b': expected 2",
    );
  });
});

test('maximal marginal relevance, by hand', () => {
  // Items 0 and 1 are all but the same, item 2 is less like the query.
  const toQuery = [0.9, 0.8, 0.5];
  const between = (i: number, j: number) => (i + j === 1 ? 0.95 : 0.1);
  const of = (relevance: number, count = 3) =>
    maximalMarginalRelevance(toQuery, between, { count, relevance });
  expect(of(1)).toEqual([0, 1, 2]);
  // Then ½ 0.8 − ½ 0.95 = −0.075 for item 1, and ½ 0.5 − ½ 0.1 = 0.2 for item 2.
  expect(of(0.5)).toEqual([0, 2, 1]);
  // The bound is where λ 0.8 − (1 − λ) 0.95 = λ 0.5 − (1 − λ) 0.1: λ = 0.85 / 1.15.
  expect(of(0.73, 2)).toEqual([0, 2]);
  expect(of(0.75, 2)).toEqual([0, 1]);
  expect(of(0, 1)).toEqual([0]);
});

const reviews = [
  'The plot was dull and the acting worse.',
  'A warm film with a brave heart.',
  'The chair broke after a week.',
  'The chair broke after two weeks.',
  'Great chair, great price.',
].map((review) => ({ review, sentiment: 'x' }));
const of = ({ review }: { review: string }) => review;
const chosen = (examples: readonly { review: string }[]) =>
  examples.map((example) => reviews.findIndex(({ review }) => review === example.review));

describe('choices for a query', () => {
  const query = { review: 'My chair broke on day one.' };

  test('most similar by BM25, in every order', async () => {
    const choose = (order?: 'nearest-last' | 'nearest-first' | 'fixed') =>
      similarExamples(reviews, { text: of, similarity: bm25Similarity(), order })(query, 3);
    expect(chosen(await choose('nearest-first'))).toEqual([2, 3, 4]);
    expect(chosen(await choose())).toEqual([4, 3, 2]);
    expect(chosen(await choose('fixed'))).toEqual([2, 3, 4]);
  });

  test('diverse: of two that are all but the same, one is left out', async () => {
    const options = { text: of, similarity: bm25Similarity(), order: 'nearest-first' } as const;
    const two = await diverseExamples(reviews, options)(query, 2);
    expect(chosen(two)).toContain(2);
    expect(chosen(two)).not.toContain(3);
    const all = await diverseExamples(reviews, { ...options, relevance: 1 })(query, 2);
    expect(chosen(all)).toEqual([2, 3]);
  });

  test('an example that is the query itself is left out', async () => {
    const choose = similarExamples(reviews, { text: of, similarity: bm25Similarity() });
    expect(chosen(await choose(reviews[2]!, 1))).toEqual([3]);
    await expect(choose(reviews[2]!, 5)).rejects.toThrow(
      '5 examples are asked for; expected a whole number from 0 to 4',
    );
  });

  test('by vectors of a model of ours: cosines, prepared once', async () => {
    const before = tf.memory().numTensors;
    const tokenizer = await trainByteLevelBpe(reviews.map(of), { vocabSize: 280 });
    const sizes = { hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2 };
    const model = createModel(
      { model_type: 'bert', vocab_size: 280, intermediate_size: 32, ...sizes },
      { seed: 2 },
    );
    const similarity = embeddingSimilarity({ model, tokenizer });
    const index = await similarity.index(reviews.map(of));
    const toQuery = Array.from(await index.toQuery(reviews[3]!.review));
    expect(toQuery[3]).toBeCloseTo(1, 5);
    expect(toQuery.indexOf(Math.max(...toQuery.filter((_, n) => n !== 3)))).toBe(2);
    expect(index.between(2, 3)).toBeCloseTo(toQuery[2]!, 5);
    let prepared = 0;
    const counted: Similarity = {
      index: (texts) => {
        prepared++;
        return similarity.index(texts);
      },
    };
    const choose = similarExamples(reviews, { text: of, similarity: counted });
    expect(chosen(await choose(reviews[3]!, 1))).toEqual([2]);
    expect(await choose(query, 2)).toHaveLength(2);
    expect(prepared).toBe(1);
    model.params.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('options out of range', () => {
    const options = { text: of, similarity: bm25Similarity() };
    expect(() => diverseExamples(reviews, { ...options, relevance: 2 })).toThrow(
      'relevance is 2; expected a number from 0 to 1',
    );
    expect(() => similarExamples(reviews, { ...options, order: 'last' as never })).toThrow(
      "order is 'last'; expected one of nearest-last, nearest-first, fixed",
    );
  });
});
