import { describeBackends, outputAndGradients } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { gatherRows } from './index.js';

describeBackends('gatherRows', () => {
  test(`gatherRows by hand, with rows asked for twice,`, async () => {
    const table = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const ids = tf.tensor2d([2, 0, 2, 2], [2, 2], 'int32');
    const rows = gatherRows(table, ids);
    expect(rows.shape).toEqual([2, 2, 2]);
    expect([...(await rows.data())]).toEqual([5, 6, 1, 2, 5, 6, 5, 6]);
    const weights = tf.tensor3d([1, 1, 10, 10, 2, 3, 4, 5], [2, 2, 2]);
    const { gradients } = outputAndGradients(
      (table) =>
        gatherRows(table as tf.Tensor2D, ids)
          .mul(weights)
          .sum(),
      [table],
    );
    const [scale] = await tf.randomNormal([], 0, 1, 'float32', 12345).data();
    const expected = [10, 10, 0, 0, 7, 9].map((v) => Math.fround(v * scale!));
    (await gradients[0]!.data()).forEach((g, i) => {
      expect(g).toBeCloseTo(expected[i]!, 5);
    });
  });
});
