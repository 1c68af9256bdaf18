import { readTensor } from '@headwise/core';
import {
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { sparseCrossEntropy } from './index.js';
import { crossEntropyPlain } from './plain.js';
import { crossEntropyReference } from './reference.js';

const options = { labelSmoothing: 0.1, ignoreIndex: -100, zLoss: 1e-3 };

/** Labels spread over the vocabulary, every fifth row ignored. */
const labelsFor = (rows: number, vocabulary: number) =>
  tf.tensor1d(
    Array.from({ length: rows }, (_, i) => (i % 5 === 4 ? -100 : (i * 37) % vocabulary)),
    'int32',
  );

describe('sparseCrossEntropy on WebGPU equals the reference', () => {
  for (const vocabulary of [1, 3, 63, 64, 65, 127, 513]) {
    test(`over a vocabulary of ${vocabulary}`, async () => {
      for (const rows of [1, 5, 67]) {
        const logits = gaussian([rows, vocabulary], 1).mul(4);
        const labels = labelsFor(rows, vocabulary);
        const of = (f: typeof sparseCrossEntropy) =>
          outputAndGradients((x) => f(x as tf.Tensor2D, labels, options), [logits]);
        const expected = of(crossEntropyReference);
        await poisonMemory([[rows, vocabulary], [rows], [rows, 2]]);
        const actual = of(sparseCrossEntropy);
        await expectClose(actual.output, expected.output);
        await expectClose(actual.gradients[0]!, expected.gradients[0]!, { floor: 1e-6 });
      }
    });
  }
});

test('sparseCrossEntropy is as near to float64 as the plain path on scores of ±10⁴', async () => {
  const [rows, vocabulary] = [7, 257];
  const scores = Float32Array.from(
    { length: rows * vocabulary },
    (_, i) => 1e4 * Math.sin(i * 12.9898),
  );
  const labels = Int32Array.from({ length: rows }, (_, i) => (i * 37) % vocabulary);
  const exact = Array.from(labels, (label, row) => {
    const own = scores.subarray(row * vocabulary, (row + 1) * vocabulary);
    const largest = Math.max(...own);
    const sum = own.reduce((s, v) => s + Math.exp(v - largest), 0);
    const mean = own.reduce((s, v) => s + v, 0) / vocabulary;
    return largest + Math.log(sum) - 0.9 * own[label]! - 0.1 * mean;
  });
  const given = { labelSmoothing: 0.1, ignoreIndex: -100, zLoss: 0 };
  const error = async (f: typeof crossEntropyPlain) => {
    const loss = f(tf.tensor2d(scores, [rows, vocabulary]), tf.tensor1d(labels, 'int32'), given);
    const values = await loss.data();
    return Math.sqrt(exact.reduce((s, v, i) => s + (v - values[i]!) ** 2, 0) / rows);
  };
  const plain = await error(crossEntropyPlain);
  expect(await error(sparseCrossEntropy)).toBeLessThanOrEqual(2 * plain + 1e-6);
});

test('sparseCrossEntropy takes scores of −∞ and more rows than one dimension of workgroups', async () => {
  const masked = tf.tensor2d([Number.NEGATIVE_INFINITY, 1, 2, Number.NEGATIVE_INFINITY], [1, 4]);
  await expectClose(sparseCrossEntropy(masked, tf.tensor1d([1], 'int32')), [Math.log1p(Math.E)]);

  const rows = 70_001;
  const logits = gaussian([rows, 3], 4) as tf.Tensor2D;
  const labels = labelsFor(rows, 3);
  await expectClose(sparseCrossEntropy(logits, labels), crossEntropyReference(logits, labels));
});

test('a label out of range that only the device has gives NaN, and the next read throws', async () => {
  const labels = tf.tidy(() => {
    const zeros = tf.fill([2048], 0).slice(0, 3).toInt();
    return tf.tensor1d([5, 4, -1], 'int32').add(zeros).toInt();
  }) as tf.Tensor1D;
  const loss = sparseCrossEntropy(tf.zeros([3, 5]), labels);
  await expect(readTensor(loss)).rejects.toThrow(
    'label 5 at position 0 is outside the 5 classes of the logits',
  );
  const [above, last, below] = await readTensor(loss);
  expect([above, below]).toEqual([Number.NaN, Number.NaN]);
  expect(last).toBeCloseTo(Math.log(5), 6);
});

test('sparseCrossEntropy gives the same bits twice and leaves no tensor behind', async () => {
  const logits = gaussian([129, 301], 1);
  const labels = labelsFor(129, 301);
  const run = () =>
    outputAndGradients((x) => sparseCrossEntropy(x as tf.Tensor2D, labels, options), [logits]);
  const [first, second] = [run(), run()];
  expect(await first.output.data()).toEqual(await second.output.data());
  expect(await first.gradients[0]!.data()).toEqual(await second.gradients[0]!.data());
  await expectNoLeak(() => {
    const { output, gradients } = run();
    tf.dispose([output, ...gradients]);
  });
});
