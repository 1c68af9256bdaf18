import { describeBackends, expectClose, expectNoLeak, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { globalNorm } from './index.js';
import { globalNormReference } from './reference.js';

describeBackends('globalNorm', () => {
  test('globalNorm by hand: the norm of (3, 4) is 5, and the scale clips to 1', async () => {
    const { norm, scale } = globalNorm([tf.scalar(3), tf.tensor2d([[4]])], 1);
    await expectClose(norm, [5]);
    await expectClose(scale, [1 / (5 + 1e-6)]);
    expect([...(await globalNorm([tf.scalar(3)], 4).scale.data())]).toEqual([1]);
    expect([...(await globalNorm([tf.scalar(3)]).scale.data())]).toEqual([1]);
    const scaled = globalNorm([tf.scalar(12), tf.scalar(16)], 1, 0.25);
    await expectClose(scaled.norm, [5]);
    await expectClose(scaled.scale, [0.25 / (5 + 1e-6)]);
    expect([...(await globalNorm([tf.scalar(12)], Infinity, 0.25).scale.data())]).toEqual([0.25]);
  });

  test('globalNorm of many tensors equals the reference and leaves nothing behind', async () => {
    const shapes = [[1], [3, 5], [63], [64, 65], [127], [513], [9000]];
    const tensors = shapes.map((shape, i) => gaussian(shape, i + 1));
    const [actual, expected] = [globalNorm(tensors, 2), globalNormReference(tensors, 2, 1)];
    await expectClose(actual.norm, expected.norm, { ratio: 1e-6 });
    await expectClose(actual.scale, expected.scale, { ratio: 1e-6 });
    expect(await globalNorm(tensors, 2).norm.data()).toEqual(await actual.norm.data());
    await expectNoLeak(() => {
      const { norm, scale } = globalNorm(tensors, 2);
      tf.dispose([norm, scale]);
    });
  });

  test('globalNorm refuses what it cannot use', () => {
    expect(() => globalNorm([])).toThrow('globalNorm: no tensors; expected at least one');
    expect(() => globalNorm([tf.scalar(1), tf.zeros([2, 0])])).toThrow(
      'globalNorm: tensor 1 has shape [2, 0]; expected sizes of at least 1',
    );
    expect(() => globalNorm([tf.scalar(1)], 0)).toThrow('globalNorm: maxNorm is 0');
  });
});
