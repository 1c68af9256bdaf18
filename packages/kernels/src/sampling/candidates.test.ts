import fc from 'fast-check';
import { expect, test } from 'vitest';
import golden from '../goldens/sampling.json' with { type: 'json' };
import { samplingCandidates } from './reference.js';

for (const [i, { options, history, scores, probabilities }] of golden.cases.entries()) {
  test(`candidates have Hugging Face's probabilities, case ${i}: ${JSON.stringify(options)}`, () => {
    const actual = new Array(scores.length).fill(0);
    for (const { id, probability } of samplingCandidates(scores, options, history)) {
      actual[id] = probability;
    }
    for (const [id, p] of probabilities.entries()) expect(actual[id]).toBeCloseTo(p, 7);
  });
}

test('candidates are never empty, best first, and their probabilities sum to 1', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 20 }),
      fc.double({ min: 0.01, max: 5, noNaN: true }),
      fc.integer({ min: 1, max: 25 }),
      fc.double({ min: 1e-6, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (scores, temperature, topK, topP, minP) => {
        const drawn = samplingCandidates(scores, { temperature, topK, topP, minP });
        expect(drawn.length).toBeGreaterThan(0);
        expect(drawn.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 9);
        const falling = drawn.map(({ probability }) => probability).sort((a, b) => b - a);
        expect(drawn.map(({ probability }) => probability)).toEqual(falling);
      },
    ),
  );
});

test('penalties by hand: repetition divides or multiplies, frequency counts, presence does not', () => {
  const scores = [2, -1, 0.5];
  const weight = (options: object) => {
    const all = samplingCandidates(scores, options, [0, 0, 1]);
    const of = (id: number) => all.find((candidate) => candidate.id === id)!.probability;
    return [Math.log(of(0) / of(2)) + 0.5, Math.log(of(1) / of(2)) + 0.5];
  };
  const expectScores = (actual: number[], expected: number[]) => {
    for (const [i, score] of expected.entries()) expect(actual[i]).toBeCloseTo(score, 12);
  };
  expectScores(weight({ repetitionPenalty: 2 }), [1, -2]);
  expectScores(weight({ frequencyPenalty: 0.25 }), [1.5, -1.25]);
  expectScores(weight({ presencePenalty: 0.25 }), [1.75, -1.25]);
});

test('scores and ids that cannot be used are named', () => {
  const inf = Number.POSITIVE_INFINITY;
  expect(() => samplingCandidates([1, Number.NaN, 2])).toThrow(
    'samplingCandidates: the score of token 1 in row 0 is NaN or +∞; expected a number, or −∞ for what cannot be drawn',
  );
  expect(() => samplingCandidates([1, 2, inf])).toThrow('the score of token 2 in row 0 is NaN');
  expect(() => samplingCandidates([-inf, -inf])).toThrow('all 2 scores of row 0 are −∞');
  expect(() => samplingCandidates([])).toThrow('all 0 scores of row 0 are −∞');
  expect(() => samplingCandidates([1, 2], {}, [0, -1, 2])).toThrow(
    'samplingCandidates: history: id 2 at position 2 is outside the vocabulary of 2 tokens',
  );
  expect(samplingCandidates([-inf, 1])).toEqual([{ id: 1, probability: 1 }]);
});
