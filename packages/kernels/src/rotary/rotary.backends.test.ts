import { checkGradients, describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { rotary } from './index.js';

describeBackends('rotary', () => {
  test('rotary by hand, with one channel that passes', async () => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [2, 5]);
    // A quarter turn of the second position's first pair, half a turn of its second.
    const cos = tf.tensor2d([1, 1, 0, -1], [2, 2]);
    const sin = tf.tensor2d([0, 0, 1, 0], [2, 2]);
    await expectClose(rotary(x, cos, sin), [1, 2, 3, 4, 5, -8, -7, 6, -9, 10]);
    await expectClose(rotary(x, cos, sin, 'interleaved'), [1, 2, 3, 4, 5, -7, 6, -8, -9, 10]);
  });

  test('rotary has the gradient of a central difference', async () => {
    const angles = gaussian([5, 3], 1) as tf.Tensor2D;
    for (const layout of ['half-split', 'interleaved'] as const) {
      await checkGradients(
        (x) => rotary(x!, angles.cos(), angles.sin(), layout),
        [gaussian([2, 5, 7], 2)],
      );
    }
  });

  test('sequences of their own tables turn each by its own, forward and backward', async () => {
    const x = gaussian([3, 2, 5, 7], 1);
    const angles = gaussian([3, 5, 3], 2);
    const one = (y: tf.Tensor, b: number) => y.slice([b], [1]).squeeze([0]);
    for (const layout of ['half-split', 'interleaved'] as const) {
      const [cos, sin] = [angles.cos(), angles.sin()];
      const y = rotary(x, cos, sin, layout);
      for (let b = 0; b < 3; b++) {
        const alone = rotary(one(x, b), one(cos, b), one(sin, b), layout);
        await expectClose(one(y, b), alone, { ratio: 1e-6 });
      }
      await checkGradients((x) => rotary(x!, cos, sin, layout), [x]);
    }
  });

  test('rotary says what does not fit', () => {
    const x = tf.zeros([3, 4]);
    const table = (...shape: [number, number]) => tf.zeros<tf.Rank.R2>(shape);
    expect(() => rotary(x, table(2, 2), table(2, 2))).toThrow(
      'rotary: cos has shape [2, 2]; expected [3, R/2]',
    );
    expect(() => rotary(x, table(3, 2), table(3, 1))).toThrow(
      'rotary: sin has shape [3, 1]; expected [3, 2]',
    );
    expect(() => rotary(x, table(3, 3), table(3, 3))).toThrow(
      'rotary: cos has 3 pairs of channels; expected at most 2 for a width of 4',
    );
    expect(() => rotary(tf.zeros([4]), table(3, 2), table(3, 2))).toThrow('[..., T, Dh]');
    expect(() => rotary(tf.zeros([3, 4], 'int32'), table(3, 2), table(3, 2))).toThrow(
      'rotary: x has type int32; expected float32',
    );
  });
});
