import { expect, test } from 'vitest';
import { chiSquaredP } from './chi-squared.js';

test("the p-values are those of the distribution's tables", () => {
  // One outcome more often, and one as much less: χ² = 2 shift² k / draws.
  const pOf = (freedom: number, statistic: number) => {
    const [draws, outcomes] = [1e6, freedom + 1];
    const shift = Math.sqrt((statistic * draws) / (2 * outcomes));
    const counts = Array<number>(outcomes).fill(draws / outcomes);
    counts[0]! += shift;
    counts[1]! -= shift;
    return chiSquaredP(counts, Array(outcomes).fill(1 / outcomes));
  };
  for (const [freedom, statistic] of [
    [1, 10.828],
    [2, 13.816],
    [3, 16.266],
    [10, 29.588],
    [39, 72.055],
  ] as const) {
    expect(pOf(freedom, statistic)).toBeCloseTo(0.001, 5);
  }
  expect(pOf(4, 3.357)).toBeCloseTo(0.5, 3);
  expect(pOf(5, 0)).toBe(1);
});

test('what cannot come has p = 0, and rare outcomes are counted together', () => {
  expect(chiSquaredP([99, 1], [1, 0])).toBe(0);
  expect(chiSquaredP([100, 0], [1, 0])).toBe(1);
  const rare = Array<number>(10).fill(0.01);
  const counts = [900, 100, ...Array<number>(9).fill(0)];
  expect(chiSquaredP(counts, [0.9, ...rare])).toBeLessThan(1e-9);
  expect(chiSquaredP([95, 5, 0, 0, 0, 0], [0.95, ...Array(5).fill(0.01)])).toBe(1);
});
