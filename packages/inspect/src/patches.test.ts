import { expect, test } from 'vitest';
import { patchShare } from './index.js';

/** Two heads, queries 3 and 5, a first vector and four patches. */
const map = {
  layer: 'decoder.blocks.0.cross',
  heads: [0, 1],
  rows: [3, 5],
  keys: 5,
  values: Float32Array.of(
    ...[0.5, 0.1, 0.2, 0.1, 0.1],
    ...[0, 1, 0, 0, 0],
    ...[0.25, 0.25, 0.25, 0.25, 0],
    ...[0.5, 0, 0, 0, 0.5],
  ),
};

test('the share of some patches is the mean over heads of their weights', () => {
  expect(patchShare(map, 3, [0, 2])).toBeCloseTo((0.2 + 0.5) / 2, 6);
  expect(patchShare(map, 5, new Set([0, 3]))).toBeCloseTo((1 + 0.5) / 2, 6);
  expect(patchShare(map, 5, [])).toBe(0);
  expect(patchShare(map, 3, [0], 0)).toBeCloseTo((0.5 + 0.25) / 2, 6);
});

test('queries and patches that a map does not have are named', () => {
  expect(() => patchShare(map, 0, [0])).toThrow("cross' has no query 0; it has 3, 5");
  expect(() => patchShare(map, 3, [4])).toThrow("cross' has no patch 4; expected 0 to 3");
  expect(() => patchShare(map, 3, [-1])).toThrow('has no patch -1');
});
