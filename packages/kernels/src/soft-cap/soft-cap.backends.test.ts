import { describeBackends, expectClose, gaussian, outputAndGradients } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { softCap } from './index.js';

describeBackends('softCap', () => {
  test('equals plain operations with its gradient', async () => {
    for (const shape of [[1], [7, 11], [3, 65, 67]]) {
      const x = gaussian(shape, 1).mul(3);
      const [actual, expected] = [
        (x: tf.Tensor) => softCap(x, 2),
        (x: tf.Tensor) => x.div(2).tanh().mul(2),
      ].map((f) => outputAndGradients((x) => f(x!), [x]));
      await expectClose(actual!.output, expected!.output);
      await expectClose(actual!.gradients[0]!, expected!.gradients[0]!, { ratio: 2e-5 });
    }
  });

  // 30 tanh(x / 30) and 1 − tanh²(x / 30) in float64.
  test('has the values of its definition, and is finite far from zero', async () => {
    const x = tf.tensor1d([-1e30, -60, -3, 0.5, 45, 1e30]);
    const { output, gradients } = outputAndGradients((x) => softCap(x!, 30), [x]);
    await expectClose(output, [-30, -28.9208275, -2.99003984, 0.499953714, 27.1544484, 30]);
    const slopes = [...(await gradients[0]!.data())];
    expect(slopes.every(Number.isFinite)).toBe(true);
  });
});
