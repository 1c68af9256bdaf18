import {
  checkGradients,
  describeBackends,
  expectClose,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { linear } from './index.js';
import { product } from './product.js';
import { linearReference } from './reference.js';

describeBackends('linear', (backend) => {
  test('linear by hand', async () => {
    const x = tf.tensor3d([1, 2, 3, 4, 5, 6], [1, 3, 2]);
    const weight = tf.tensor2d([1, 0, 2, 0, 1, 3], [2, 3]);
    const y = linear(x, weight, tf.tensor1d([10, 20, 30]));
    expect(y.shape).toEqual([1, 3, 3]);
    expect([...(await y.data())]).toEqual([11, 22, 38, 13, 24, 48, 15, 26, 58]);
  });

  for (const [rows, layout, activation] of [
    [1, 'in-out', 'none'],
    [5, 'out-in', 'gelu'],
    [65, 'in-out', 'silu'],
    [67, 'out-in', 'none'],
  ] as const) {
    test(`linear ${layout} of ${rows} rows adds a stream to ${activation}, as an addition does, gradients too`, async () => {
      const inputs = [
        gaussian([1, rows, 7], 1),
        gaussian(layout === 'in-out' ? [7, 33] : [33, 7], 2),
        gaussian([33], 3),
        gaussian([1, rows, 33], 4),
      ];
      const of = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor, added?: tf.Tensor) =>
        linear(x, w as tf.Tensor2D, b as tf.Tensor1D, layout, activation, 'float32', added);
      const fused = (...[x, w, b, added]: tf.Tensor[]) => of(x!, w!, b!, added!);
      const expected = outputAndGradients(
        (...[x, w, b, added]: tf.Tensor[]) => of(x!, w!, b!).add(added!),
        inputs,
      );
      await poisonMemory([
        [rows, 33],
        [1, rows, 33],
        [rows, 7],
      ]);
      const actual = outputAndGradients(fused, inputs);
      await expectClose(actual.output, expected.output, { ratio: 1e-6 });
      for (const [i, gradient] of actual.gradients.entries()) {
        expect(await gradient.data()).toEqual(await expected.gradients[i]!.data());
      }
      expect(() => of(inputs[0]!, inputs[1]!, inputs[2]!, tf.zeros([rows, 33]))).toThrow(
        `linear: added has shape [${rows}, 33]; expected [1, ${rows}, 33]`,
      );
    });
  }

  for (const layout of ['in-out', 'out-in'] as const) {
    test(`linear ${layout} equals the reference with every gradient`, async () => {
      const x = gaussian([2, 5, 7], 1);
      const weight = gaussian(layout === 'in-out' ? [7, 3] : [3, 7], 2);
      const bias = gaussian([3], 3);
      const actual = outputAndGradients(
        (x, w, b) => linear(x!, w as tf.Tensor2D, b as tf.Tensor1D, layout),
        [x, weight, bias],
      );
      const expected = outputAndGradients(
        (x, w, b) =>
          linearReference(x!.reshape([10, 7]), w as tf.Tensor2D, b as tf.Tensor1D, layout).reshape([
            2, 5, 3,
          ]),
        [x, weight, bias],
      );
      await expectClose(actual.output, expected.output);
      for (const [i, gradient] of actual.gradients.entries()) {
        await expectClose(gradient, expected.gradients[i]!);
      }
    });
  }

  test('product by hand, with either matrix transposed', async () => {
    const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    const b = tf.tensor2d([1, 0, 2, 1, 0, 3], [3, 2]);
    const expected = [5, 11, 14, 23];
    for (const [x, transposeX] of [
      [a, false],
      [a.transpose<tf.Tensor2D>(), true],
    ] as const) {
      for (const [y, transposeY] of [
        [b, false],
        [b.transpose<tf.Tensor2D>(), true],
      ] as const) {
        const c = product(x, y, transposeX, transposeY);
        expect(c.shape).toEqual([2, 2]);
        expect([...(await c.data())]).toEqual(expected);
      }
    }
  });

  test('linear has the gradient of a central difference', () =>
    checkGradients(
      (x, w, b) => linear(x!, w as tf.Tensor2D, b as tf.Tensor1D),
      [gaussian([3, 5], 1), gaussian([5, 7], 2), gaussian([7], 3)],
    ));

  test('linear refuses another type, and sizes of 0', () => {
    const weight = tf.zeros<tf.Rank.R2>([5, 3]);
    expect(() => linear(tf.zeros([2, 5], 'int32'), weight)).toThrow(
      'linear: x has type int32; expected float32',
    );
    expect(() => linear(tf.zeros([0, 5]), weight)).toThrow(
      'linear: x has shape [0, 5]; expected sizes of at least 1',
    );
    expect(() => linear(tf.zeros([2, 5]), weight, tf.zeros([4]))).toThrow(
      'linear: bias has shape [4]; expected [3]',
    );
  });

  test('mixed precision is refused by name where there is none', () => {
    if (backend === 'webgpu') return;
    const [x, weight] = [tf.zeros([2, 5]), tf.zeros<tf.Rank.R2>([5, 3])];
    expect(() => linear(x, weight, undefined, 'in-out', 'none', 'mixed')).toThrow(
      `linear: precision is 'mixed', and the backend is '${backend}'; expected 'float32', or WebGPU on a device with the feature 'shader-f16'`,
    );
  });

  test('linear names both widths where they differ', () => {
    expect(() => linear(tf.zeros([2, 5]), tf.zeros([7, 3]))).toThrow(
      'linear: weight has shape [7, 3]; expected [5, Out]',
    );
  });
});
