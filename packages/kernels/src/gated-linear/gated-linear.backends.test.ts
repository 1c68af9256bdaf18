import { checkGradients, describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { gatedLinear } from './index.js';
import { gatedLinearReference } from './reference.js';

describeBackends('gatedLinear', () => {
  test('gatedLinear equals the reference', async () => {
    const x = gaussian([5, 7], 1) as tf.Tensor2D;
    const [gate, up] = [2, 3].map((seed) => ({
      weight: gaussian([7, 3], seed) as tf.Tensor2D,
      bias: gaussian([3], seed + 2) as tf.Tensor1D,
    }));
    await expectClose(
      gatedLinear(x, gate!, up!, 'in-out', 'gelu'),
      gatedLinearReference(x, gate!, up!, 'in-out', 'gelu'),
    );
  });

  test('gatedLinear has the gradient of a central difference', () =>
    checkGradients(
      (x, gate, up) =>
        gatedLinear(x!, { weight: gate as tf.Tensor2D }, { weight: up as tf.Tensor2D }),
      [gaussian([3, 5], 1), gaussian([5, 7], 2), gaussian([5, 7], 3)],
    ));

  test('gatedLinear names what does not fit', () => {
    const [narrow, wide] = [tf.zeros([5, 3]), tf.zeros([5, 4])] as tf.Tensor2D[];
    expect(() => gatedLinear(tf.zeros([2, 5]), { weight: narrow! }, { weight: wide! })).toThrow(
      'gatedLinear: up has shape [5, 4]; expected [5, 3]',
    );
    expect(() => gatedLinear(tf.zeros([0, 5]), { weight: narrow! }, { weight: narrow! })).toThrow(
      'gatedLinear: x has shape [0, 5]; expected sizes of at least 1',
    );
  });
});
