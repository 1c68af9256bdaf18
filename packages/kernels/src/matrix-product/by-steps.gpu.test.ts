import { expectClose, gaussian, poisonMemory, productOnCpu } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { expect, test } from 'vitest';
import { worthCopies } from './by-steps.js';
import { matrixProduct } from './product.js';

const backend = () => tf.backend() as WebGPUBackend;

const orientations = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;

/** Rows, inner size and columns: operands that lie step by step, and those that the copies pad; odd numbers of steps. */
const sizes = [
  [64, 32, 128],
  [67, 33, 70],
  [130, 1, 66],
] as const;

test.for(sizes)(
  'the device multiplies %i x %i x %i in every orientation, the same bits twice',
  async ([m, k, n]) => {
    const a = gaussian([m, k], 1) as tf.Tensor2D;
    const b = gaussian([k, n], 2) as tf.Tensor2D;
    const expected = await productOnCpu(a, b);
    for (const [transposedA, transposedB] of orientations) {
      const left = { tensor: transposedA ? a.transpose() : a, transposed: transposedA };
      const right = { tensor: transposedB ? b.transpose() : b, transposed: transposedB };
      const product = () =>
        tf.engine().makeTensorFromTensorInfo(matrixProduct(backend(), left, right)[0]!);
      const padded = [
        [k, Math.ceil(m / 4) * 4],
        [k, Math.ceil(n / 4) * 4],
      ];
      await poisonMemory([[m, n], ...padded]);
      const first = product();
      await expectClose(first, expected);
      await poisonMemory([[m, n], ...padded]);
      expect(await product().data()).toEqual(await first.data());
    }
  },
);

test('copies of operands are disposed of', () => {
  const a = gaussian([65, 64], 1);
  const b = gaussian([128, 64], 2);
  matrixProduct(backend(), { tensor: a }, { tensor: b, transposed: true });
  const before = backend().numDataIds();
  const [c] = matrixProduct(backend(), { tensor: a }, { tensor: b, transposed: true });
  backend().disposeData(c!.dataId);
  expect(backend().numDataIds()).toBe(before);
});

test('an operand is copied where the other has many lines, and not where it is large', () => {
  const tensor = tf.zeros([1]);
  const lines = (count: number, inner: number, contiguous: 'inner' | 'lines') =>
    ({ tensor, count, inner, contiguous }) as const;
  expect(worthCopies(lines(512, 768, 'inner'), lines(768, 768, 'inner'))).toBe(true);
  expect(worthCopies(lines(12, 768, 'lines'), lines(768, 768, 'lines'))).toBe(true);
  // Twelve rows do not pay for a copy of a weight; two copies of everything are too much memory for a head.
  expect(worthCopies(lines(12, 768, 'inner'), lines(768, 768, 'inner'))).toBe(false);
  expect(worthCopies(lines(512, 768, 'inner'), lines(50_257, 768, 'inner'))).toBe(false);
  expect(worthCopies(lines(512, 768, 'inner'), lines(32, 768, 'lines'))).toBe(false);
});
