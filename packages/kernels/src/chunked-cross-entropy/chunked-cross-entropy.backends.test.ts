import {
  checkGradients,
  describeBackends,
  expectClose,
  expectNoLeak,
  gaussian,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { type PackedWeight, packWeight } from '../packed-linear/pack.js';
import { unpackWeight } from '../packed-linear/unpack.js';
import { chunkedCrossEntropy } from './index.js';
import type { ChunkedCrossEntropyOptions } from './options.js';
import { chunkedCrossEntropyReference } from './reference.js';

const labelsOf = (rows: number, vocabulary: number) =>
  tf.tensor1d(
    Array.from({ length: rows }, (_, i) => (i % 5 === 4 ? -100 : (i * 37) % vocabulary)),
    'int32',
  );

describeBackends('chunkedCrossEntropy', () => {
  const options: ChunkedCrossEntropyOptions[] = [
    {},
    { labelSmoothing: 0.1, zLoss: 1e-3 },
    { labelSmoothing: 0.1, zLoss: 1e-3, softCap: 1.5 },
  ];
  const sizes = [
    [1, 1, 3],
    [7, 5, 11],
    [63, 65, 127],
  ] as const;
  for (const [rows, width, vocabulary] of sizes) {
    test(`chunkedCrossEntropy equals the reference with its gradients, [${rows}, ${width}] over ${vocabulary}`, async () => {
      const hidden = gaussian([rows, width], 1) as tf.Tensor2D;
      const weight = gaussian([vocabulary, width], 2) as tf.Tensor2D;
      const labels = labelsOf(rows, vocabulary);
      for (const given of options) {
        const of = (f: typeof chunkedCrossEntropyReference) =>
          tf.valueAndGrads((h, w) =>
            f(h as tf.Tensor2D, w as tf.Tensor2D, labels, given).mul<tf.Scalar>(3),
          )([hidden, weight]);
        const [actual, expected] = [of(chunkedCrossEntropy), of(chunkedCrossEntropyReference)];
        await expectClose(actual.value, expected.value);
        for (const [i, gradient] of actual.grads.entries()) {
          await expectClose(gradient, expected.grads[i]!, { ratio: 2e-5 });
        }
        const alone = chunkedCrossEntropy(hidden, weight, labels, given).mul(3);
        expect(await alone.data()).toEqual(await actual.value.data());
      }
    });
  }

  test('chunkedCrossEntropy adds a bias, which has a gradient too', async () => {
    const hidden = gaussian([63, 5], 1) as tf.Tensor2D;
    const weight = gaussian([127, 5], 2) as tf.Tensor2D;
    const bias = gaussian([127], 3) as tf.Tensor1D;
    const labels = labelsOf(63, 127);
    const of = (f: typeof chunkedCrossEntropyReference) =>
      tf.valueAndGrads((h, w, b) => {
        const options: ChunkedCrossEntropyOptions = { labelSmoothing: 0.1, bias: b as tf.Tensor1D };
        return f(h as tf.Tensor2D, w as tf.Tensor2D, labels, options).mul<tf.Scalar>(3);
      })([hidden, weight, bias]);
    const [actual, expected] = [of(chunkedCrossEntropy), of(chunkedCrossEntropyReference)];
    await expectClose(actual.value, expected.value);
    for (const [i, gradient] of actual.grads.entries()) {
      await expectClose(gradient, expected.grads[i]!, { ratio: 2e-5 });
    }
    const alone = chunkedCrossEntropy(hidden, weight, labels, { labelSmoothing: 0.1, bias });
    await expectClose(alone.mul(3), expected.value);
    const packed = packWeight((await weight.data()) as Float32Array, [127, 5], 'int8', 'out-in');
    const read = unpackWeight(packed).transpose<tf.Tensor2D>();
    const ofPacked = (w: tf.Tensor2D | PackedWeight) =>
      tf.valueAndGrads((h, b) =>
        chunkedCrossEntropy(h as tf.Tensor2D, w, labels, { bias: b as tf.Tensor1D }),
      )([hidden, bias]);
    const [fromPacked, fromRead] = [ofPacked(packed), ofPacked(read)];
    await expectClose(fromPacked.grads[0]!, fromRead.grads[0]!, { ratio: 2e-5 });
    await expectClose(fromPacked.grads[1]!, fromRead.grads[1]!, { ratio: 2e-5 });
    await expectNoLeak(() => {
      const { value, grads } = of(chunkedCrossEntropy);
      tf.dispose([value, grads]);
    });
    for (const softCap of [0, -1, Number.NaN]) {
      expect(() => chunkedCrossEntropy(hidden, weight, labels, { softCap })).toThrow(
        `chunkedCrossEntropy: softCap is ${softCap}; expected a number above 0`,
      );
    }
    const short = bias.slice(0, 5) as tf.Tensor1D;
    expect(() => chunkedCrossEntropy(hidden, weight, labels, { bias: short })).toThrow(
      'chunkedCrossEntropy: bias has shape [5]; expected [127]',
    );
  });

  for (const format of ['f16', 'int8', 'int4'] as const) {
    test(`chunkedCrossEntropy of a head packed in ${format} equals that of its unpacked values`, async () => {
      const hidden = gaussian([7, 37], 1) as tf.Tensor2D;
      const values = (await gaussian([11, 37], 2).data()) as Float32Array;
      const packed = packWeight(values, [11, 37], format, 'out-in');
      const unpacked = unpackWeight(packed).transpose<tf.Tensor2D>();
      const labels = labelsOf(7, 11);
      const of = (weight: tf.Tensor2D | PackedWeight) =>
        tf.valueAndGrad((h) => chunkedCrossEntropy(h as tf.Tensor2D, weight, labels).mul(3))(
          hidden,
        );
      const [actual, expected] = [of(packed), of(unpacked)];
      await expectClose(actual.value, expected.value);
      await expectClose(actual.grad, expected.grad, { ratio: 2e-5 });
      await expectClose(chunkedCrossEntropy(hidden, packed, labels).mul(3), expected.value);
      await expectNoLeak(() => {
        const { value, grad } = of(packed);
        tf.dispose([value, grad]);
      });
    });
  }

  test('chunkedCrossEntropy has the gradient of a central difference and leaves nothing behind', async () => {
    const inputs = [gaussian([6, 4], 1), gaussian([9, 4], 2)];
    const labels = labelsOf(6, 9);
    const loss = (h: tf.Tensor, w: tf.Tensor) =>
      chunkedCrossEntropy(h as tf.Tensor2D, w as tf.Tensor2D, labels);
    await checkGradients((h, w) => loss(h!, w!), inputs);
    await expectNoLeak(() => {
      const { value, grads } = tf.valueAndGrads((h, w) => loss(h!, w!))(inputs);
      tf.dispose([value, grads, loss(inputs[0]!, inputs[1]!)]);
    });
  });

  test('chunkedCrossEntropy is 0 where every row is ignored', async () => {
    const labels = tf.fill<tf.Rank.R1>([3], -100, 'int32');
    const inputs = [gaussian([3, 2], 1), gaussian([5, 2], 2)] as tf.Tensor2D[];
    const { value, grads } = tf.valueAndGrads((h, w) =>
      chunkedCrossEntropy(h as tf.Tensor2D, w as tf.Tensor2D, labels),
    )(inputs);
    await expectClose(value, [0]);
    for (const gradient of grads) await expectClose(gradient, Array(gradient.size).fill(0));
  });

  test('chunkedCrossEntropy refuses what does not fit', () => {
    const labels = tf.zeros<tf.Rank.R1>([3], 'int32');
    expect(() => chunkedCrossEntropy(tf.zeros([3, 5]), tf.zeros([7, 4]), labels)).toThrow(
      'chunkedCrossEntropy: weight has shape [7, 4]; expected [V, 5]',
    );
    expect(() => chunkedCrossEntropy(tf.zeros([2, 5]), tf.zeros([7, 5]), labels)).toThrow(
      'chunkedCrossEntropy: labels has shape [3]; expected [2]',
    );
    expect(() => chunkedCrossEntropy(tf.zeros([3, 5]), tf.zeros([0, 5]), labels)).toThrow(
      'chunkedCrossEntropy: weight has shape [0, 5]; expected sizes of at least 1',
    );
  });
});
