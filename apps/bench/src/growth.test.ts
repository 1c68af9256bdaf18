import { expect, test } from 'vitest';
import { exponent, growth } from './growth.js';

const took = (peakBytes: number) => ({ ms: 1, peakBytes });

test('the exponent of a power is that power, and of a sum lies between', () => {
  const points = (f: (x: number) => number) => [1, 2, 4, 8].map((x) => [x, f(x)] as const);
  expect(exponent(points((x) => 7 * x ** 1.5))).toBeCloseTo(1.5, 12);
  const between = exponent(points((x) => x + x ** 2));
  expect(between).toBeGreaterThan(1);
  expect(between).toBeLessThan(2);
});

test('workloads are grouped by all but their length', () => {
  const row = (workload: string, ours: number, stock: number) => ({
    workload,
    ours: took(ours),
    peers: { stock: took(stock) },
  });
  const rows = [row('a/b/T2', 10, 4), row('a/b/T4', 20, 16), row('a/c/T2', 1, 1), row('x', 1, 1)];
  expect(growth(rows)).toEqual(['a/b: memory of ours T^1.00; stock T^2.00']);
});
