import {
  describeBackends,
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { sparseCrossEntropy } from './index.js';
import type { CrossEntropyOptions } from './options.js';
import { crossEntropyReference } from './reference.js';

describeBackends('sparseCrossEntropy', () => {
  test('sparseCrossEntropy by hand: equal scores give log V', async () => {
    const loss = sparseCrossEntropy(tf.zeros([3, 5]), tf.tensor1d([0, 2, 4], 'int32'));
    await expectClose(loss, Array(3).fill(Math.log(5)));
  });

  const options: [string, CrossEntropyOptions][] = [
    ['', {}],
    [' with label smoothing', { labelSmoothing: 0.1 }],
    [' with a z-loss', { zLoss: 1e-2 }],
    [' with rows ignored', { ignoreIndex: 3 }],
    [' with all of it', { labelSmoothing: 0.2, zLoss: 1e-3, ignoreIndex: 6 }],
  ];
  for (const [name, given] of options) {
    test(`sparseCrossEntropy${name} equals the reference with its gradient`, async () => {
      const logits = gaussian([11, 7], 1).mul(5);
      const labels = tf.tensor1d([0, 6, 3, 3, 2, 1, 5, 4, 0, 6, 6], 'int32');
      const of = (f: typeof sparseCrossEntropy) =>
        outputAndGradients((x) => f(x as tf.Tensor2D, labels, given), [logits]);
      const [actual, expected] = [of(sparseCrossEntropy), of(crossEntropyReference)];
      await expectClose(actual.output, expected.output);
      await expectClose(actual.gradients[0]!, expected.gradients[0]!);
    });
  }

  test('sparseCrossEntropy ignores the label −100 by default', async () => {
    const logits = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const labels = tf.tensor1d([-100, 0], 'int32');
    const { output, gradients } = outputAndGradients(
      (x) => sparseCrossEntropy(x as tf.Tensor2D, labels),
      [logits],
    );
    await expectClose(output, [0, Math.log1p(Math.E)]);
    expect([...(await gradients[0]!.data())].slice(0, 2).map(Math.abs)).toEqual([0, 0]);
  });

  test('sparseCrossEntropy is finite for scores of ±10⁴ and leaves nothing behind', async () => {
    const logits = tf.tensor2d([1e4, -1e4, 0, -1e4, 1e4, 0], [2, 3]);
    const labels = tf.tensor1d([0, 0], 'int32');
    await expectClose(sparseCrossEntropy(logits, labels), [0, 2e4]);
    await expectNoLeak(() => {
      const run = outputAndGradients((x) => sparseCrossEntropy(x as tf.Tensor2D, labels), [logits]);
      tf.dispose([run.output, ...run.gradients]);
    });
  });

  test('sparseCrossEntropy refuses what it cannot use', () => {
    const logits = tf.zeros<tf.Rank.R2>([3, 5]);
    const labels = tf.zeros<tf.Rank.R1>([3], 'int32');
    expect(() => sparseCrossEntropy(logits, tf.tensor1d([0, 2], 'int32'))).toThrow(
      'sparseCrossEntropy: labels has shape [2]; expected [3]',
    );
    expect(() => sparseCrossEntropy(logits, tf.zeros([3]))).toThrow(
      'sparseCrossEntropy: labels has type float32; expected int32',
    );
    expect(() => sparseCrossEntropy(tf.zeros([3, 5, 1]) as never, labels)).toThrow(
      'sparseCrossEntropy: logits has shape [3, 5, 1]; expected [N, V]',
    );
    expect(() => sparseCrossEntropy(tf.zeros([3, 0]), labels)).toThrow(
      'sparseCrossEntropy: logits has shape [3, 0]; expected sizes of at least 1',
    );
    expect(() => sparseCrossEntropy(logits, labels, { labelSmoothing: 1.5 })).toThrow(
      'sparseCrossEntropy: labelSmoothing is 1.5; expected 0 ≤ labelSmoothing ≤ 1',
    );
    expect(() => sparseCrossEntropy(logits, labels, { ignoreIndex: 0.5 })).toThrow(
      'sparseCrossEntropy: ignoreIndex is 0.5; expected a whole number',
    );
    expect(() => sparseCrossEntropy(logits, labels, { zLoss: Number.NaN })).toThrow(
      'sparseCrossEntropy: zLoss is NaN; expected a number of at least 0',
    );
  });
});
