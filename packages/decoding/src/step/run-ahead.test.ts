import { expect, test } from 'vitest';
import { runAheadFor } from './run-ahead.js';

test('tokens run ahead where a reading takes long beside a step, in bursts of at most 100 ms', () => {
  // A software adapter, a GPU, Firefox.
  expect(runAheadFor(80, 1, 32)).toBe(1);
  expect(runAheadFor(4, 1, 32)).toBe(3);
  expect(runAheadFor(5, 100, 32)).toBe(20);
  expect(runAheadFor(0.5, 100, 32)).toBe(32);
  expect(runAheadFor(150, 100, 32)).toBe(1);
});
