import { countsOf, expectClose, gaussian, poisonMemory, recordedBy } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { lossInChunks } from './chunks.js';

const all = ['hidden', 'weight', 'bias'] as const;
const [rows, width, vocabulary] = [23, 13, 127];

function given() {
  const labels = tf.tensor1d(
    Array.from({ length: rows }, (_, i) => (i * 37) % vocabulary),
    'int32',
  );
  return {
    hidden: gaussian([rows, width], 1) as tf.Tensor2D,
    weight: gaussian([vocabulary, width], 2) as tf.Tensor2D,
    labels,
    bias: gaussian([vocabulary], 4) as tf.Tensor1D,
    shares: gaussian([rows], 3) as tf.Tensor1D,
    softCap: 2,
    attributes: { labelSmoothing: 0.1, ignoreIndex: 37, zLoss: 1e-3 },
  };
}

test('the loss and its gradients do not depend on how many rows are taken at a time', async () => {
  const whole = lossInChunks(given(), all, rows);
  for (const most of [1, 3, 8, 22, 100]) {
    await poisonMemory([[most, vocabulary], [vocabulary, width], [rows, width], [rows]]);
    const parts = lossInChunks(given(), all, most);
    await expectClose(parts.loss, whole.loss);
    for (const name of all) await expectClose(parts.gradients[name]!, whole.gradients[name]!);
  }
});

test('the loss and its gradients have the same bits twice', async () => {
  const [first, second] = [lossInChunks(given(), all, 5), lossInChunks(given(), all, 5)];
  expect(await first.loss.data()).toEqual(await second.loss.data());
  for (const name of all) {
    expect(await first.gradients[name]!.data()).toEqual(await second.gradients[name]!.data());
  }
});

test('gradients that are not wanted are not computed', async () => {
  const whole = lossInChunks(given(), all, 5).gradients;
  const products = async (wanted: readonly (typeof all)[number][]) => {
    const recorded = await recordedBy(() => {
      const { gradients } = lossInChunks(given(), wanted, rows);
      expect(Object.keys(gradients).sort()).toEqual([...wanted].sort());
    });
    const counts = countsOf(recorded);
    return (counts['headwise/MatrixProduct'] ?? 0) + (counts['headwise/Linear'] ?? 0);
  };
  expect(await products([])).toBe(1);
  expect(await products(['bias'])).toBe(1);
  expect(await products(['hidden'])).toBe(2);
  expect(await products(['weight', 'bias'])).toBe(2);
  expect(await products(all)).toBe(3);
  for (const name of all) {
    await expectClose(lossInChunks(given(), [name], 5).gradients[name]!, whole[name]!);
  }
});
