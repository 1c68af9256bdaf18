import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyedPermutation } from './keyed-permutation.js';
import { mixture } from './mixture.js';
import { mixtureWeights, parseMixture } from './mixture-file.js';

test('a keyed permutation is one, of any size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 700 }), fc.nat(), fc.nat(9), (count, seed, stream) => {
      const order = keyedPermutation(count, seed, stream, 1);
      const numbers = Array.from({ length: count }, (_, place) => order(place));
      expect([...numbers].sort((a, b) => a - b)).toEqual([...numbers.keys()]);
    }),
    { numRuns: 60 },
  );
  const large = keyedPermutation(2 ** 40 + 1, 7, 0, 1);
  const seen = new Set(Array.from({ length: 2000 }, (_, place) => large(place)));
  expect(seen.size).toBe(2000);
  // Spread over the whole range: 2000 draws leave a tenth of it empty with the probability 1e-91.
  expect(new Set([...seen].map((n) => Math.floor((10 * n) / (2 ** 40 + 1)))).size).toBe(10);
});

test.each([2, 5, 12])('every number of %i comes to every place equally often', (count) => {
  const draws = 3000;
  const counts = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  for (let stream = 0; stream < draws; stream++) {
    const order = keyedPermutation(count, 3, stream, 1);
    for (let place = 0; place < count; place++) counts[place]![order(place)]!++;
  }
  const expected = draws / count;
  const squares = counts.flat().reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  // χ² of (count − 1)² degrees of freedom: within five standard deviations.
  const freedom = (count - 1) ** 2;
  expect(squares).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom));
});

const sources = [
  { name: 'a', windows: 11, weight: 0.5 },
  { name: 'b', windows: 700, weight: 0.3 },
  { name: 'c', windows: 40_000, weight: 0.2 },
];

test('each source has its weight to within one window, and each window comes once an epoch', () => {
  const at = mixture(sources, { seed: 4 });
  const drawn = sources.map(() => [] as number[]);
  let otherEpochs = 0;
  for (let position = 0; position < 70_000; position++) {
    const { source, window, epoch } = at(position);
    if (epoch !== Math.floor(drawn[source]!.length / sources[source]!.windows)) otherEpochs++;
    drawn[source]!.push(window);
    if (position % 997 === 0) {
      for (const [i, { weight }] of sources.entries()) {
        expect(Math.abs(drawn[i]!.length - weight * (position + 1))).toBeLessThan(1.6);
      }
    }
  }
  expect(otherEpochs).toBe(0);
  for (const [i, { windows }] of sources.entries()) {
    const epochs = Math.floor(drawn[i]!.length / windows);
    for (let epoch = 0; epoch < Math.min(epochs, 9); epoch++) {
      const of = drawn[i]!.slice(epoch * windows, (epoch + 1) * windows);
      expect(new Set(of).size).toBe(windows);
    }
  }
  expect(drawn[0]!.slice(0, 11)).not.toEqual(drawn[0]!.slice(11, 22));
  expect(new Set(drawn[2]).size).toBe(drawn[2]!.length);
});

test('any position is what it is in sequence, and another seed gives another order', () => {
  const inOrder = mixture(sources, { seed: 9 });
  const sequence = Array.from({ length: 3000 }, (_, position) => inOrder(position));
  const anyOrder = mixture(sources, { seed: 9 });
  for (const position of [2999, 0, 1234, 70, 2998]) {
    expect(anyOrder(position)).toEqual(sequence[position]);
  }
  const other = mixture(sources, { seed: 10 });
  expect(sequence.map((_, position) => other(position))).not.toEqual(sequence);
});

test.each([
  [[], 'has no sources'],
  [[{ name: 'a', windows: 0, weight: 1 }], 'a: has no window'],
  [[{ name: 'a', windows: 3, weight: 0 }], 'a: weight is 0, expected a number above 0'],
  [
    [
      { name: 'a', windows: 3, weight: 1e-9 },
      { name: 'b', windows: 3, weight: 1 },
    ],
    'a: weight is 1e-9 of',
  ],
])('sources that cannot be drawn from are refused: %j', (given, message) => {
  expect(() => mixture(given)).toThrow(message);
});

test('weights follow the tokens by temperature, or budgets in tokens or epochs', () => {
  const of = (settings: object) => mixtureWeights(parseMixture(settings, 'm'), [100, 400]);
  const plain = [{ shards: 'a' }, { shards: 'b' }];
  expect(of({ sources: plain })).toEqual({ weights: [100, 400] });
  expect(of({ sources: plain, temperature: 2 })).toEqual({ weights: [10, 20] });
  const weighed = [
    { shards: 'a', weight: 3 },
    { shards: 'b', weight: 1 },
  ];
  expect(of({ sources: weighed })).toEqual({ weights: [3, 1] });
  const budgets = [
    { shards: 'a', epochs: 2.5 },
    { shards: 'b', tokens: 150 },
  ];
  expect(of({ sources: budgets })).toEqual({ weights: [250, 150], budget: 400 });
});

const a = { shards: 'a' };
test.each([
  [[], 'm: is [], expected an object'],
  [{}, 'm: sources is undefined, expected a list'],
  [{ sources: [] }, 'm: sources is [], expected at least one'],
  [{ sources: [a], seed: 3 }, "m: 'seed' is not a key; expected sources, temperature, curriculum"],
  [{ sources: [{ ...a, weight: -1 }] }, 'm: source 1: weight is -1, expected a number above 0'],
  [{ sources: [a, { ...a, weight: 1 }] }, 'm: some sources have neither, some weight'],
  [{ sources: [{ ...a, tokens: 1, weight: 1 }] }, 'm: some sources have both'],
  [{ sources: [{ ...a, tokens: 1 }], temperature: 2 }, 'm: temperature is 2, and its sources'],
  [{ sources: [a], curriculum: [{ steps: 3 }] }, 'm: curriculum stage 1: length is undefined'],
])('the mixture %j is refused by name', (json, message) => {
  expect(() => parseMixture(json, 'm')).toThrow(message);
});
