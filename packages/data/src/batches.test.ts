import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Batch,
  DataError,
  sequentialBatches,
  shuffledBatches,
  tokenWindows,
} from './index.js';

/** Tokens that are their own positions, so that a batch shows where it was cut. */
const positions = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

/** The rows of `[B, T]`. */
function rows(values: Int32Array, [batch, tokens]: Batch['shape']): number[][] {
  return Array.from({ length: batch }, (_, row) =>
    Array.from(values.subarray(row * tokens, (row + 1) * tokens)),
  );
}

function expectShifted({ inputs, targets, shape }: Batch): void {
  expect(inputs).toHaveLength(shape[0] * shape[1]);
  expect(targets).toEqual(inputs.map((position) => position + 1));
}

test('11 tokens by hand: 3 windows of 3, and one target beyond them', () => {
  const ids = Uint16Array.from({ length: 11 }, (_, i) => 100 + i);
  expect([...sequentialBatches(ids, { batchSize: 2, length: 3 })]).toEqual([
    {
      inputs: Int32Array.of(100, 101, 102, 103, 104, 105),
      targets: Int32Array.of(101, 102, 103, 104, 105, 106),
      shape: [2, 3],
      examples: [0, 1],
    },
    {
      inputs: Int32Array.of(106, 107, 108),
      targets: Int32Array.of(107, 108, 109),
      shape: [1, 3],
      examples: [2],
    },
    { inputs: Int32Array.of(109), targets: Int32Array.of(110), shape: [1, 1], examples: [3] },
  ]);
});

describe('in order', () => {
  test('every token but the first is a target exactly once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(40),
        (count, batchSize, extra) => {
          const length = extra + 1;
          const batches = [...sequentialBatches(positions(count), { batchSize, length })];
          expect(batches.flatMap(({ targets }) => Array.from(targets))).toEqual(
            Array.from({ length: count - 1 }, (_, i) => i + 1),
          );
          for (const batch of batches) {
            expectShifted(batch);
            expect(batch.shape[0]).toBeLessThanOrEqual(batchSize);
            expect(batch.shape[1]).toBeLessThanOrEqual(length);
          }
        },
      ),
    );
  });

  test('bad options are refused before the first batch is asked for', () => {
    const ids = positions(9);
    expect(() => sequentialBatches(ids, { batchSize: 0, length: 3 })).toThrow(
      new DataError('batchSize is 0, expected a whole number of at least 1'),
    );
    expect(() => sequentialBatches(ids, { batchSize: 1, length: 1.5 })).toThrow(
      new DataError('length is 1.5, expected a whole number of at least 1'),
    );
    expect(() => sequentialBatches(positions(1), { batchSize: 1, length: 1 })).toThrow(
      new DataError('the corpus has 1 tokens, expected at least 2 to predict one'),
    );
  });
});

const corpus = fc
  .record({
    count: fc.integer({ min: 2, max: 120 }),
    length: fc.integer({ min: 1, max: 9 }),
    stride: fc.integer({ min: 1, max: 12 }),
  })
  .filter(({ count, length }) => count > length);
const options = fc.record({
  batchSize: fc.integer({ min: 1, max: 7 }),
  seed: fc.maxSafeNat(),
});

describe('shuffled', () => {
  test('every window comes exactly once in each epoch', () => {
    fc.assert(
      fc.property(corpus, options, ({ count, length, stride }, { batchSize, seed }) => {
        const source = tokenWindows(positions(count), { length, stride });
        const batches = shuffledBatches(source, { batchSize, seed });
        const starts: number[] = [];
        for (let step = 0; starts.length < 3 * source.count; step++) {
          const batch = batches.at(step);
          expectShifted(batch);
          expect(batch.shape).toEqual([batchSize, length]);
          starts.push(...rows(batch.inputs, batch.shape).map((row) => row[0]!));
        }
        const all = Array.from({ length: source.count }, (_, window) => window * stride);
        for (let epoch = 0; epoch < 3; epoch++) {
          const seen = starts.slice(epoch * source.count, (epoch + 1) * source.count);
          expect(seen.sort((a, b) => a - b)).toEqual(all);
        }
      }),
    );
  });

  test('a run that resumes sees what an uninterrupted one sees', () => {
    fc.assert(
      fc.property(corpus, options, fc.nat(60), ({ count, length, stride }, chosen, stop) => {
        const source = tokenWindows(positions(count), { length, stride });
        const whole = shuffledBatches(source, chosen).from(0);
        for (let step = 0; step < stop; step++) whole.next();
        const resumed = shuffledBatches(source, chosen).from(stop);
        for (let step = 0; step < 5; step++) expect(resumed.next()).toEqual(whole.next());
      }),
    );
  });

  test('steps can be asked for in any order', () => {
    const batches = shuffledBatches(tokenWindows(positions(31), { length: 3 }), {
      batchSize: 4,
      seed: 5,
    });
    const forward = [0, 1, 2, 3, 4, 5, 6].map((step) => batches.at(step));
    const backward = [6, 5, 4, 3, 2, 1, 0].map((step) => batches.at(step));
    expect(backward.reverse()).toEqual(forward);
  });

  test('epochs and seeds differ in order', () => {
    const source = tokenWindows(positions(1001), { length: 10 });
    const epoch = (seed: number, number: number) =>
      shuffledBatches(source, { batchSize: source.count, seed }).at(number).inputs;
    expect(epoch(1, 0)).not.toEqual(epoch(1, 1));
    expect(epoch(1, 0)).not.toEqual(epoch(2, 0));
  });

  test('an epoch has as many steps as its windows fill batches', () => {
    const source = tokenWindows(positions(31), { length: 3 });
    expect(source.count).toBe(10);
    expect(shuffledBatches(source, { batchSize: 4 }).stepsPerEpoch).toBe(2.5);
  });

  test.each<[string, object, string]>([
    ['no rows', { batchSize: 0 }, 'batchSize is 0, expected a whole number of at least 1'],
    ['half a row', { batchSize: 0.5 }, 'batchSize is 0.5, expected a whole number of at least 1'],
    ['no number', { batchSize: '8' }, 'batchSize is 8, expected a whole number of at least 1'],
    ['a negative seed', { batchSize: 1, seed: -1 }, 'seed is -1, expected a whole number of at'],
    ['a huge seed', { batchSize: 1, seed: 2 ** 53 }, 'seed is 9007199254740992, expected a whole'],
  ])('%s is refused', (_, given, message) => {
    const source = tokenWindows(positions(9), { length: 3 });
    expect(() => shuffledBatches(source, given as { batchSize: number })).toThrow(message);
  });

  test('a negative or fractional step is refused', () => {
    const batches = shuffledBatches(tokenWindows(positions(9), { length: 3 }), { batchSize: 1 });
    expect(() => batches.at(-1)).toThrow('step is -1, expected a whole number of at least 0');
    expect(() => batches.from(0.5).next()).toThrow('step is 0.5, expected a whole number of at');
  });
});
