import { describeBackends, expectClose, gaussian, outputAndGradients } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { gelu, geluTanh } from './index.js';
import { geluReference, geluTanhReference } from './reference.js';

describeBackends('GELU', () => {
  for (const [name, actual, reference] of [
    ['gelu', gelu, geluReference],
    ['geluTanh', geluTanh, geluTanhReference],
  ] as const) {
    test(`${name} equals the reference with its gradient`, async () => {
      const x = gaussian([7, 11], 1).mul(3);
      const [a, e] = [actual, reference].map((f) => outputAndGradients((x) => f(x!), [x]));
      await expectClose(a!.output, e!.output);
      await expectClose(a!.gradients[0]!, e!.gradients[0]!, { ratio: 2e-5 });
    });

    test(`${name} is exact far from zero`, async () => {
      const x = tf.tensor1d([-100, -20, 0, 20, 100]);
      const { output, gradients } = outputAndGradients((x) => actual(x!).mul(1), [x]);
      expect([...(await output.data())]).toEqual([-0, -0, 0, 20, 100]);
      for (const g of await gradients[0]!.data()) expect(Number.isFinite(g)).toBe(true);
    });
  }

  // From the definitions in float64.
  test('gelu and geluTanh give the values of their definitions', async () => {
    const x = tf.tensor1d([-2, -0.5, 0.75, 3]);
    await expectClose(gelu(x), [-0.04550026, -0.15426877, 0.58002927, 2.99595031]);
    await expectClose(geluTanh(x), [-0.04540231, -0.15428599, 0.57996273, 2.99636261]);
  });
});
