import { expect, test } from 'vitest';
import { sequentialBatches, shuffledBatches, windows } from './index.js';

const ids = Int32Array.from({ length: 11 }, (_, i) => 100 + i);

test('a corpus of 11 tokens gives 3 windows of 3, and one target beyond them', () => {
  const batches = [...sequentialBatches(ids, { batchSize: 2, length: 3 })];
  expect(batches).toEqual([
    {
      inputs: Int32Array.of(100, 101, 102, 103, 104, 105),
      targets: Int32Array.of(101, 102, 103, 104, 105, 106),
      shape: [2, 3],
    },
    { inputs: Int32Array.of(106, 107, 108), targets: Int32Array.of(107, 108, 109), shape: [1, 3] },
    { inputs: Int32Array.of(109), targets: Int32Array.of(110), shape: [1, 1] },
  ]);
});

test('the batch of a step needs nothing but its number', () => {
  const options = { batchSize: 2, seed: 7 };
  const source = windows(ids, { length: 2 });
  const run = shuffledBatches(source, options).from(0);
  const seen = Array.from({ length: 9 }, () => run.next().value);
  expect(shuffledBatches(source, options).at(8)).toEqual(seen[8]);
});
