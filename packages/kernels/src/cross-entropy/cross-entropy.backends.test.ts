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
import { crossEntropyReference } from './reference.js';

describeBackends('sparseCrossEntropy', () => {
  test('sparseCrossEntropy by hand: equal scores give log V', async () => {
    const loss = sparseCrossEntropy(tf.zeros([3, 5]), tf.tensor1d([0, 2, 4], 'int32'));
    await expectClose(loss, Array(3).fill(Math.log(5)));
  });

  test(`sparseCrossEntropy equals the reference with its gradient`, async () => {
    const logits = gaussian([11, 7], 1).mul(5);
    const labels = tf.tensor1d([0, 6, 3, 3, 2, 1, 5, 4, 0, 6, 6], 'int32');
    const of = (f: typeof sparseCrossEntropy) =>
      outputAndGradients((x) => f(x as tf.Tensor2D, labels), [logits]);
    const [actual, expected] = [of(sparseCrossEntropy), of(crossEntropyReference)];
    await expectClose(actual.output, expected.output);
    await expectClose(actual.gradients[0]!, expected.gradients[0]!);
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

  test('sparseCrossEntropy refuses another number of labels', () => {
    expect(() => sparseCrossEntropy(tf.zeros([3, 5]), tf.tensor1d([0, 2], 'int32'))).toThrow(
      'sparseCrossEntropy: labels has shape [2]; expected [3]',
    );
  });
});
