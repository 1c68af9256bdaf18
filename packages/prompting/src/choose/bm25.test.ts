import { expect, test } from 'vitest';
import golden from '../goldens/ranks.json' with { type: 'json' };
import { bm25 } from '../index.js';

test.each(golden.cases)('scores are those of bm25s for k1 $k1 and b $b', ({ k1, b, scores }) => {
  const terms = (text: string) => text.split(' ');
  const ranking = bm25(golden.texts, { k1, b, terms });
  let positive = 0;
  for (const [q, query] of golden.queries.entries()) {
    const found = ranking.scores(query);
    for (const [n, expected] of scores[q]!.entries()) {
      expect(found[n]).toBeCloseTo(expected, 5);
      expect(ranking.score(query, n)).toBe(found[n]);
      positive += Number(expected > 0);
    }
  }
  expect(positive).toBeGreaterThan(100);
});

test('by hand: two texts, one shared word', () => {
  const ranking = bm25(['a b', 'a a c c'], { k1: 1, b: 0.5 });
  // 'a' is in both texts: idf ln(1 + 0.5 / 2.5); the mean length is 3.
  const idf = Math.log(1.2);
  const [first, second] = ranking.scores('A!');
  expect(first).toBeCloseTo((idf * 1) / (1 + 0.5 + (0.5 * 2) / 3), 12);
  expect(second).toBeCloseTo((idf * 2) / (2 + 0.5 + (0.5 * 4) / 3), 12);
  expect(Array.from(ranking.scores('d'))).toEqual([0, 0]);
  // The query 'b' as a text of one word: 'b' is in one text of two.
  expect(ranking.selfScore('b')).toBeCloseTo(Math.log(1 + 1.5 / 1.5) / (1 + 0.5 + 0.5 / 3), 12);
});

test('words are those of the language: letters of any script, in lower case', () => {
  const { scores } = bm25(["Don't stop", 'ÜBER alles', '東京の天気']);
  expect(scores("DON'T")[0]).toBeGreaterThan(0);
  expect(scores('über')[1]).toBeGreaterThan(0);
  expect(scores('天気')[2]).toBeGreaterThan(0);
});

test('options out of range are refused', () => {
  expect(() => bm25([])).toThrow('there are no texts to rank; expected at least one');
  expect(() => bm25(['a'], { k1: -1 })).toThrow('k1 is -1');
  expect(() => bm25(['a'], { b: 2 })).toThrow('b is 2; expected a number from 0 to 1');
  expect(Array.from(bm25(['', '']).scores('a'))).toEqual([0, 0]);
});
