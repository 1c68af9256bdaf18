import {
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { layerNorm } from './index.js';
import { layerNormReference } from './reference.js';

const sizes = [1, 3, 63, 64, 65, 513];

describe('layerNorm on WebGPU equals the reference', () => {
  for (const width of sizes) {
    test(`rows of ${width}`, async () => {
      for (const rows of [1, 5, 67]) {
        const x = gaussian([rows, width], 1).mul(3).add(2);
        const weight = gaussian([width], 2);
        const bias = gaussian([width], 3);
        const inputs = [x, weight, bias];
        const expected = outputAndGradients(
          (x, w, b) => layerNormReference(x!, w!, b!, 1e-5),
          inputs,
        );
        await poisonMemory([[rows, width], [rows, 2], [width], [3, width]]);
        const actual = outputAndGradients((x, w, b) => layerNorm(x!, w!, b!), inputs);
        await expectClose(actual.output, expected.output);
        // A row of one value has a constant output: the gradient of x is zero but for rounding.
        const floor = width === 1 ? 1e-4 : 1e-6;
        for (const [i, gradient] of actual.gradients.entries()) {
          await expectClose(gradient, expected.gradients[i]!, { ratio: 2e-5, floor });
        }
      }
    });
  }
});

test('layerNorm takes any rank and more rows than one dimension of workgroups', async () => {
  const x = gaussian([2, 3, 5, 7], 1);
  const [weight, bias] = [gaussian([7], 2), gaussian([7], 3)];
  const y = layerNorm(x, weight, bias);
  expect(y.shape).toEqual([2, 3, 5, 7]);
  await expectClose(y, layerNormReference(x, weight, bias, 1e-5));

  const many = gaussian([70_001, 3], 4);
  const [w, b] = [gaussian([3], 5), gaussian([3], 6)];
  await expectClose(layerNorm(many, w, b), layerNormReference(many, w, b, 1e-5));
});

test('layerNorm is as near to float64 as the plain path on a large offset', async () => {
  const [rows, width] = [3, 257];
  const values = Float32Array.from(
    { length: rows * width },
    (_, i) => 1000 + Math.sin(i * 12.9898),
  );
  const exact = new Float64Array(values.length);
  for (let r = 0; r < rows; r++) {
    const row = values.subarray(r * width, (r + 1) * width);
    const mean = row.reduce((s, v) => s + v, 0) / width;
    const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / width;
    row.forEach((v, i) => {
      exact[r * width + i] = (v - mean) / Math.sqrt(variance + 1e-5);
    });
  }
  const error = async (y: tf.Tensor) =>
    Math.sqrt(
      Array.from(await y.data()).reduce((s, v, i) => s + (v - exact[i]!) ** 2, 0) / exact.length,
    );
  const x = tf.tensor2d(values, [rows, width]);
  const [weight, bias] = [tf.ones([width]), tf.zeros([width])];
  const plain = await error(layerNormReference(x, weight, bias, 1e-5));
  expect(await error(layerNorm(x, weight, bias))).toBeLessThanOrEqual(2 * plain + 1e-6);
});

test('layerNorm gives the same bits twice and leaves no tensor behind', async () => {
  const x = gaussian([200, 33], 1);
  const [weight, bias] = [gaussian([33], 2), gaussian([33], 3)];
  const run = () => outputAndGradients((x, w, b) => layerNorm(x!, w!, b!), [x, weight, bias]);
  const [first, second] = [run(), run()];
  for (const [i, gradient] of first.gradients.entries()) {
    expect(await gradient.data()).toEqual(await second.gradients[i]!.data());
  }
  await expectNoLeak(() => {
    const { output, gradients } = run();
    tf.dispose([output, ...gradients]);
    layerNorm(x, weight, bias).dispose();
  });
});
