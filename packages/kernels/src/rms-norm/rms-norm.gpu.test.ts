import {
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { rmsNorm } from './index.js';
import { rmsNormReference } from './reference.js';

const sizes = [1, 3, 63, 64, 65, 513];

describe('rmsNorm on WebGPU equals the reference', () => {
  for (const width of sizes) {
    test(`rows of ${width}`, async () => {
      for (const rows of [1, 5, 67]) {
        const x = gaussian([rows, width], 1).mul(3).add(2);
        const weight = gaussian([width], 2);
        const inputs = [x, weight];
        const expected = outputAndGradients((x, w) => rmsNormReference(x!, w!, 1e-6), inputs);
        await poisonMemory([[rows, width], [rows], [width], [3, width]]);
        const actual = outputAndGradients((x, w) => rmsNorm(x!, w!), inputs);
        await expectClose(actual.output, expected.output);
        // A row of one value has an almost constant output: the gradient of x is small and rounded.
        const floor = width === 1 ? 1e-4 : 1e-6;
        for (const [i, gradient] of actual.gradients.entries()) {
          await expectClose(gradient, expected.gradients[i]!, { ratio: 2e-5, floor });
        }
      }
    });
  }
});

test('rmsNorm takes any rank and more rows than one dimension of workgroups', async () => {
  const x = gaussian([2, 3, 5, 7], 1);
  const weight = gaussian([7], 2);
  const y = rmsNorm(x, weight);
  expect(y.shape).toEqual([2, 3, 5, 7]);
  await expectClose(y, rmsNormReference(x, weight, 1e-6));

  const many = gaussian([70_001, 3], 4);
  const w = gaussian([3], 5);
  await expectClose(rmsNorm(many, w), rmsNormReference(many, w, 1e-6));
});

test('rmsNorm gives the same bits twice and leaves no tensor behind', async () => {
  const x = gaussian([200, 33], 1);
  const weight = gaussian([33], 2);
  const run = () => outputAndGradients((x, w) => rmsNorm(x!, w!), [x, weight]);
  const [first, second] = [run(), run()];
  for (const [i, gradient] of first.gradients.entries()) {
    expect(await gradient.data()).toEqual(await second.gradients[i]!.data());
  }
  await expectNoLeak(() => {
    const { output, gradients } = run();
    tf.dispose([output, ...gradients]);
    rmsNorm(x, weight).dispose();
  });
});
