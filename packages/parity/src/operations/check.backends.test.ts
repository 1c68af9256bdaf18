import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import type { Check } from '../receipt.js';
import { checkOperations } from './check.js';
import { normals } from './float64.js';
import { operations } from './operations.js';

describeBackends('receipts of operations', () => {
  test('every operation and gradient is within its bound, and nothing leaks', async () => {
    const before = tf.memory().numTensors;
    const checks: Check[] = [];
    for await (const each of checkOperations()) checks.push(each);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.length).toBe(
      operations().reduce((sum, { inputs }) => sum + 1 + Object.keys(inputs).length, 0),
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});

test('inputs are normal values that float32 holds', () => {
  const values = normals(10_000, 3);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + b * b, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.05);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  expect(values.every((v) => Math.fround(v) === v)).toBe(true);
});
