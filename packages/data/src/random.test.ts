import { expect, test } from 'vitest';
import { permutation, sfc32 } from './random.js';

const draw = (count: number, next: () => number): number[] => Array.from({ length: count }, next);

test('sfc32 gives the numbers of the reference in C, compiled with 15 rounds of warm-up', () => {
  expect(draw(5, sfc32(0, 0))).toEqual([4216505632, 947923937, 2491578854, 3964400089, 2091952393]);
  expect(draw(5, sfc32(920735923817967, 7))).toEqual([
    2699137940, 3679094130, 861179830, 3786654992, 3766749769,
  ]);
});

test('every order of three is equally likely', () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 6000; seed++) {
    const order = permutation(3, seed, 0).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  // Five standard deviations of a fair draw are 144.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(144);
});

test('seeds and streams that differ in any bit give different orders', () => {
  const order = permutation(100, 0, 0);
  for (let bit = 0; bit < 53; bit++) expect(permutation(100, 2 ** bit, 0)).not.toEqual(order);
  for (let bit = 0; bit < 32; bit++) expect(permutation(100, 0, 2 ** bit)).not.toEqual(order);
});
