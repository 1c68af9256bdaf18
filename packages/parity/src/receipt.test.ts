import { expect, test } from 'vitest';
import { distance } from './compare.js';
import { check, receipt, receiptTable } from './receipt.js';

const report = { backend: 'cpu', adapter: null } as Parameters<typeof receipt>[0];

test('the distance of vectors, by hand', () => {
  expect(distance([3, 4], [3, 4])).toEqual({ maxAbsError: 0, rmsError: 0, rmsRatio: 0, cosine: 1 });
  expect(distance([4, 3], [3, 4])).toEqual({
    maxAbsError: 1,
    rmsError: 1,
    rmsRatio: Math.SQRT2 / 5,
    cosine: 24 / 25,
  });
  expect(distance([0, 0], [0, 0])).toEqual({ maxAbsError: 0, rmsError: 0, rmsRatio: 0, cosine: 1 });
  expect(distance([Number.NaN, 1], [0, 1]).maxAbsError).toBeNaN();
  expect(() => distance([1], [1, 2])).toThrow('1 values to compare with 2');
});

test('a receipt is good only where every check is, and there is one', () => {
  const good = check('linear', 'output', [1, 2], [1, 2.00001], 1e-4);
  const bad = check('linear', 'gradient.x', [1, 2], [1, 2.1], 1e-4);
  const broken = check('linear', 'gradient.y', [1, Number.NaN], [1, 2], 1e-4);
  const rounding = check('linear', 'gradient.z', [0, 1e-9], [0, 0], 1e-4);
  expect([good, bad, broken, rounding].map(({ ok }) => ok)).toEqual([true, false, false, true]);
  expect(receipt(report, [good, rounding]).ok).toBe(true);
  expect(receipt(report, [good, bad]).ok).toBe(false);
  expect(receipt(report, []).ok).toBe(false);
});

test('the table shows the worst check of each kind, and of how many', () => {
  const checks = [
    check('gpt2', 'gradient: a', [1], [1], 1e-4),
    check('gpt2', 'gradient: b', [1], [1.1], 1e-4),
    check('gpt2', 'logits', [1], [1], 1e-4),
  ];
  const lines = receiptTable(receipt(report, checks)).split('\n');
  expect(lines.length).toBe(3);
  expect(lines[0]).toMatch(/^subject +part +worst of +max abs/);
  expect(lines[1]).toMatch(/^gpt2 +gradient: b +2 +1\.0e-1 .* NOT OK$/);
  expect(lines[2]).toMatch(/^gpt2 +logits +1 .* ok$/);
});
