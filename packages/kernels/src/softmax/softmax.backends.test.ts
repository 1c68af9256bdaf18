import {
  describeBackends,
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { softmax } from './index.js';
import { softmaxReference } from './reference.js';

describeBackends('softmax', () => {
  test('softmax by hand', async () => {
    await expectClose(softmax(tf.tensor1d([0, Math.log(3)])), [0.25, 0.75]);
    await expectClose(softmax(tf.scalar(7)), [1]);
  });

  for (const width of [1, 3, 63, 64, 65, 127, 513]) {
    test(`softmax of rows of ${width} equals the reference with its gradient`, async () => {
      for (const rows of [1, 5, 67]) {
        const x = gaussian([rows, width], 1).mul(4);
        const of = (f: typeof softmax) => outputAndGradients((x) => f(x!), [x]);
        const expected = of(softmaxReference);
        await poisonMemory([[rows, width]]);
        const actual = of(softmax);
        await expectClose(actual.output, expected.output);
        // A row of one value has the constant 1: its gradient is zero but for rounding.
        await expectClose(actual.gradients[0]!, expected.gradients[0]!, { floor: 1e-6 });
      }
    });
  }

  test('softmax is as near to float64 as the plain path on values of ±10⁴, and takes −∞', async () => {
    const values = Float32Array.from({ length: 3 * 101 }, (_, i) => 1e4 * Math.sin(i * 12.9898));
    values[7] = Number.NEGATIVE_INFINITY;
    const exact = [0, 1, 2].flatMap((row) => {
      const own = [...values.subarray(101 * row, 101 * (row + 1))];
      const weights = own.map((v) => Math.exp(v - Math.max(...own)));
      const total = weights.reduce((a, b) => a + b, 0);
      return weights.map((w) => w / total);
    });
    const error = async (y: tf.Tensor) => {
      const data = await y.data();
      return Math.sqrt(exact.reduce((s, v, i) => s + (v - data[i]!) ** 2, 0) / exact.length);
    };
    const x = tf.tensor2d(values, [3, 101]);
    const plain = await error(softmaxReference(x));
    expect(await error(softmax(x))).toBeLessThanOrEqual(2 * plain + 1e-8);
  });

  test('softmax takes any rank, gives the same bits twice and leaves nothing behind', async () => {
    const x = gaussian([2, 3, 5, 33], 1);
    const run = () => outputAndGradients((x) => softmax(x!), [x]);
    const [first, second] = [run(), run()];
    expect(first.output.shape).toEqual([2, 3, 5, 33]);
    expect(await first.output.data()).toEqual(await second.output.data());
    expect(await first.gradients[0]!.data()).toEqual(await second.gradients[0]!.data());
    await expectNoLeak(() => {
      const { output, gradients } = run();
      tf.dispose([output, gradients]);
    });
    expect(() => softmax(tf.zeros([3, 0]))).toThrow('softmax: x has shape [3, 0]');
    expect(() => softmax(tf.zeros([3], 'int32'))).toThrow('softmax: x has type int32');
  });
});
