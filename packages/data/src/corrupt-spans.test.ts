import { chiSquaredP } from '@headwise/testing';
import { expect, test } from 'vitest';
import { noiseMask, withSentinels } from './corrupt-spans.js';
import golden from './goldens/span-corruption.json' with { type: 'json' };
import { collatedBatches, corruptSpans } from './index.js';
import { sfc32 } from './random.js';

const runs = (mask: readonly boolean[]) => mask.filter((left, i) => left && !mask[i - 1]).length;

test.each(golden.cases)(
  '$ids.length tokens: sources and targets are those of the reference',
  (c) => {
    const { source, target } = withSentinels(c.ids, c.mask.map(Boolean), golden);
    expect(source).toEqual(c.source);
    expect(target).toEqual(c.target);
    for (let seed = 0; seed < 50; seed++) {
      const mask = noiseMask(c.ids.length, c, sfc32(seed, 0));
      expect([mask.length, mask.filter(Boolean).length, runs(mask), mask[0], mask.at(-1)]).toEqual([
        c.ids.length,
        c.noise,
        c.spans,
        false,
        true,
      ]);
    }
  },
);

test('every partition into spans is equally likely', () => {
  // 4 of 10 tokens in 2 spans: 3 partitions of 4, 5 of the 6 that stay.
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 10_000; seed++) {
    const mask = noiseMask(10, { density: 0.4, meanLength: 2 }, sfc32(seed, 3));
    const key = mask.map(Number).join('');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(15);
  expect(chiSquaredP([...counts.values()], new Array<number>(15).fill(1 / 15))).toBeGreaterThan(
    1e-3,
  );
});

test('a batch is padded, and what was left out fills the gaps again', () => {
  const rows = [12, 20].map((length) => ({ ids: Array.from({ length }, (_, i) => 10 + i) }));
  const collate = corruptSpans({ firstSentinel: 99, endId: 1 });
  const { sources, sourceMask, targets, shape } = collatedBatches(rows, collate, {
    batchSize: 2,
    seed: 2,
  }).at(0);
  expect([sources.length, targets.length]).toEqual([2 * shape[1], 2 * shape[2]]);
  for (let row = 0; row < 2; row++) {
    const source = [...sources.subarray(row * shape[1], (row + 1) * shape[1])].filter(
      (_, i) => sourceMask[row * shape[1] + i] === 1,
    );
    const target = [...targets.subarray(row * shape[2], (row + 1) * shape[2])];
    const filled = source.slice(0, -1).flatMap((id) => {
      if (id < 90) return [id];
      const from = target.indexOf(id) + 1;
      const to = target.findIndex((next, i) => i >= from && (next >= 90 || next === 1));
      return target.slice(from, to);
    });
    expect(filled).toEqual(filled.map((_, i) => 10 + i));
  }
});

test('rows and settings that cannot be are refused', () => {
  const of =
    (ids: number[], options = {}) =>
    () =>
      corruptSpans({ firstSentinel: 99, endId: 1, ...options })([{ ids }], sfc32(0, 0));
  expect(of([3])).toThrow('a row has 1 tokens, expected at least 2 to corrupt');
  expect(of([3, 4], { density: 2 })).toThrow('density is 2');
  expect(of([3, 4], { meanLength: 0 })).toThrow('meanLength is 0');
  const many = Array.from({ length: 40 }, () => 5);
  expect(of(many, { firstSentinel: 1, meanLength: 1 })).toThrow('a row has more than 2 spans');
});
