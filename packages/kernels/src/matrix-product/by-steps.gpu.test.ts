import { expectClose, gaussian, poisonMemory, productOnCpu } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { expect, test } from 'vitest';
import { subgroupLanes } from '../dispatch/row-group.js';
import { readingOf } from './by-steps.js';
import type { ProductForm, Tiling } from './form.js';
import { outerTiling } from './outer.js';
import { matrixProduct } from './product.js';

const backend = () => tf.backend() as WebGPUBackend;

const orientations = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;

/** Rows, inner size and columns: operands that lie step by step, pairs of steps, and those that the copies pad. */
const sizes = [
  [64, 32, 128],
  [67, 33, 70],
  [130, 1, 66],
  [67, 34, 70],
  [9, 50, 33],
] as const;

test.for(sizes)(
  'the device multiplies %i x %i x %i in every orientation, the same bits twice and from copies',
  async ([m, k, n]) => {
    const a = gaussian([m, k], 1) as tf.Tensor2D;
    const b = gaussian([k, n], 2) as tf.Tensor2D;
    const expected = await productOnCpu(a, b);
    const lanes = subgroupLanes(backend());
    const copied = (form: ProductForm) => outerTiling(lanes!, form, { a: 'lines', b: 'lines' });
    for (const [transposedA, transposedB] of orientations) {
      const left = { tensor: transposedA ? a.transpose() : a, transposed: transposedA };
      const right = { tensor: transposedB ? b.transpose() : b, transposed: transposedB };
      const product = async (options: { tilingOf?: (form: ProductForm) => Tiling } = {}) => {
        const padded = [
          [k, Math.ceil(m / 4) * 4],
          [k, Math.ceil(n / 4) * 4],
        ];
        await poisonMemory([[m, n], [n], ...padded]);
        return matrixProduct(backend(), left, right, { columnSums: true, ...options }).map((info) =>
          tf.engine().makeTensorFromTensorInfo(info),
        );
      };
      const first = await product();
      await expectClose(first[0]!, expected);
      await expectClose(first[1]!, b.sum(0));
      const others = [await product()];
      // Elsewhere another tiling is used.
      if (lanes === 8 && m > 9) others.push(await product({ tilingOf: copied }));
      for (const other of others) {
        for (const [i, tensor] of other.entries()) {
          expect(await tensor.data()).toEqual(await first[i]!.data());
        }
      }
    }
  },
);

test('copies of operands are disposed of', () => {
  const a = gaussian([65, 63], 1);
  const b = gaussian([128, 63], 2);
  matrixProduct(backend(), { tensor: a }, { tensor: b, transposed: true });
  const before = backend().numDataIds();
  const [c] = matrixProduct(backend(), { tensor: a }, { tensor: b, transposed: true });
  backend().disposeData(c!.dataId);
  expect(backend().numDataIds()).toBe(before);
});

test('an operand is read as it lies, or copied where the other has many lines and it is not large', () => {
  const tensor = tf.zeros([1]);
  const lines = (count: number, inner: number, contiguous: 'inner' | 'lines') =>
    ({ tensor, count, inner, contiguous }) as const;
  const asTheyLie = { a: 'inner', b: 'inner' };
  expect(readingOf(lines(512, 512, 'inner'), lines(128, 512, 'inner'))).toEqual(asTheyLie);
  expect(readingOf(lines(12, 768, 'inner'), lines(768, 768, 'inner'))).toEqual(asTheyLie);
  expect(readingOf(lines(12, 768, 'lines'), lines(768, 768, 'lines'))).toEqual({
    a: 'lines',
    b: 'lines',
  });
  // Many lines pay for a copy, but not of a head's.
  expect(readingOf(lines(1024, 384, 'inner'), lines(384, 384, 'inner'))).toEqual({
    a: 'inner',
    b: 'lines',
  });
  expect(readingOf(lines(512, 768, 'inner'), lines(768, 768, 'lines'))).toEqual({
    a: 'lines',
    b: 'lines',
  });
  expect(readingOf(lines(512, 768, 'inner'), lines(50_257, 768, 'inner'))).toEqual({
    a: 'lines',
    b: 'inner',
  });
  // What cannot be read as it lies is copied, if that pays.
  expect(readingOf(lines(512, 33, 'inner'), lines(66, 33, 'lines'))).toEqual({
    a: 'lines',
    b: 'lines',
  });
  expect(readingOf(lines(12, 33, 'inner'), lines(66, 33, 'inner'))).toBeUndefined();
  expect(readingOf(lines(512, 768, 'inner'), lines(32, 768, 'lines'))).toBeUndefined();
});
