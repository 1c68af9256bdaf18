import { expect, test } from 'vitest';
import { distanceBetween } from './compare.js';
import { checkOf, receiptOf, receiptTable } from './receipt.js';

const report = { backend: 'cpu', adapter: null } as Parameters<typeof receiptOf>[0];

test('the distance of vectors, by hand', () => {
  expect(distanceBetween([3, 4], [3, 4])).toEqual({
    maxAbsError: 0,
    rmsError: 0,
    rmsRatio: 0,
    cosine: 1,
  });
  expect(distanceBetween([4, 3], [3, 4])).toEqual({
    maxAbsError: 1,
    rmsError: 1,
    rmsRatio: Math.SQRT2 / 5,
    cosine: 24 / 25,
  });
  expect(distanceBetween([0, 0], [0, 0])).toEqual({
    maxAbsError: 0,
    rmsError: 0,
    rmsRatio: 0,
    cosine: 1,
  });
  expect(distanceBetween([Number.NaN, 1], [0, 1]).maxAbsError).toBeNaN();
  expect(() => distanceBetween([1], [1, 2])).toThrow('1 values to compare with 2');
});

test('a receipt is good only where every check is, and there is one', () => {
  const good = checkOf('linear', 'output', [1, 2], [1, 2.00001], 1e-4);
  const bad = checkOf('linear', 'gradient.x', [1, 2], [1, 2.1], 1e-4);
  const broken = checkOf('linear', 'gradient.y', [1, Number.NaN], [1, 2], 1e-4);
  const rounding = checkOf('linear', 'gradient.z', [0, 1e-9], [0, 0], 1e-4);
  expect([good, bad, broken, rounding].map(({ ok }) => ok)).toEqual([true, false, false, true]);
  expect(receiptOf(report, [good, rounding]).ok).toBe(true);
  expect(receiptOf(report, [good, bad]).ok).toBe(false);
  expect(receiptOf(report, []).ok).toBe(false);
});

test('the table shows the worst check of each kind, and of how many', () => {
  const checks = [
    checkOf('gpt2', 'gradient: a', [1], [1], 1e-4),
    checkOf('gpt2', 'gradient: b', [1], [1.1], 1e-4),
    checkOf('gpt2', 'logits', [1], [1], 1e-4),
  ];
  const lines = receiptTable(receiptOf(report, checks)).split('\n');
  expect(lines.length).toBe(3);
  expect(lines[0]).toMatch(/^subject +part +worst of +max abs/);
  expect(lines[1]).toMatch(/^gpt2 +gradient: b +2 +1\.0e-1 .* NOT OK$/);
  expect(lines[2]).toMatch(/^gpt2 +logits +1 .* ok$/);
});

test('values that are 0 up to rounding print as zero, and never hide one that is not', () => {
  const zero = checkOf('bert', 'gradient.kProj.bias', [1e-8, -2e-8], [1e-17, 2e-17], 1e-4);
  expect(zero).toMatchObject({ ok: true, zero: true });
  expect(zero.rmsRatio).toBeGreaterThan(1e8);
  expect(checkOf('bert', 'gradient.x', [1e-3, 0], [0, 0], 1e-4)).toMatchObject({
    ok: false,
    zero: false,
  });
  expect(checkOf('bert', 'gradient.x', [0, 0], [1, 1], 1e-4)).toMatchObject({
    ok: false,
    zero: false,
  });
  const table = (...checks: Parameters<typeof receiptOf>[1]) =>
    receiptTable(receiptOf(report, checks)).split('\n')[1];
  expect(table(zero)).toMatch(/^bert +gradient\.kProj\.bias +1 +2\.0e-8 +zero +zero +1e-4 +ok$/);
  const close = checkOf('bert', 'gradient.kProj.weight', [1, 2], [1, 2.000001], 1e-4);
  const wrong = checkOf('bert', 'gradient.vProj.weight', [1, Number.NaN], [1, 2], 1e-4);
  expect(table(zero, close)).toMatch(/^bert +gradient\.kProj\.weight +2 .* ok$/);
  expect(table(close, wrong, zero)).toMatch(/^bert +gradient\.vProj\.weight +3 .* NOT OK$/);
});
