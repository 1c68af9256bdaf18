import { expect, test } from 'vitest';
import { exampleScores } from './example.js';
import { bars, type Sampling } from './sampling.js';

const drawn = (sampling: Partial<Sampling>) => {
  const all = bars(exampleScores(), { temperature: 1, topK: 0, topP: 1, ...sampling }, 4);
  return Object.fromEntries(all.map(({ text, after }) => [text, after]));
};

test('top-k 3 keeps three', () => {
  const { cake, donut, banana, apple } = drawn({ topK: 3 });
  expect(cake).toBeCloseTo(0.2 / 0.32, 5);
  expect(donut).toBeCloseTo(0.1 / 0.32, 5);
  expect(banana).toBeCloseTo(0.02 / 0.32, 5);
  expect(apple).toBe(0);
});

test('top-p .30 keeps cake and donut', () => {
  const { cake, donut, banana, apple } = drawn({ topP: 0.3 });
  expect([banana, apple]).toEqual([0, 0]);
  expect(cake! / donut!).toBeCloseTo(2, 5);
  expect(cake! + donut!).toBeCloseTo(1, 5);
});

test('a temperature below 1 sharpens, above 1 flattens, and 0 takes the best', () => {
  const plain = drawn({});
  expect(plain.cake).toBeCloseTo(0.2, 5);
  expect(drawn({ temperature: 0.5 }).cake! / drawn({ temperature: 0.5 }).donut!).toBeCloseTo(4, 4);
  expect(drawn({ temperature: 2 }).cake! / drawn({ temperature: 2 }).donut!).toBeCloseTo(
    2 ** 0.5,
    4,
  );
  expect(drawn({ temperature: 0 })).toEqual({ cake: 1, donut: 0, banana: 0, apple: 0 });
});

test('tokens that are not sent keep their share', () => {
  const next = {
    tokens: [
      { id: 7, text: 'a' },
      { id: 3, text: 'b' },
    ],
    scores: Float32Array.of(Math.log(0.5), Math.log(0.1)),
    logSum: 0,
  };
  const [a, b] = bars(next, { temperature: 1, topK: 0, topP: 1 }, 2);
  expect([a!.after, b!.after].map((value) => value.toFixed(4))).toEqual(['0.5000', '0.1000']);
});
