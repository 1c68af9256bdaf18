import { describeBackends, expectClose, gaussian, outputAndGradients } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { attention } from './index.js';
import { and } from './masks/mask.js';
import { causal } from './masks/order.js';
import { padding } from './masks/tokens.js';

describeBackends('attention', () => {
  test('by hand: two queries over three keys, the last aligned with the last', async () => {
    // Scores 0 or ln 2 give weights in the ratio of 1 to 2.
    const q = tf.tensor4d([1, 0, 0, 1], [1, 1, 2, 2]);
    const k = tf.tensor4d([Math.LN2, 0, 0, 0, 0, Math.LN2], [1, 1, 3, 2]);
    const v = tf.tensor4d([3, 0, 6, 3, 0, 12], [1, 1, 3, 2]);
    const scale = 1;
    // The first query sees two keys, weights 2/3 and 1/3; the second three, weights 1/4, 1/4, 1/2.
    await expectClose(attention(q, k, v, { mask: causal, scale }), [4, 1, 2.25, 6.75]);
    const lengths = tf.tensor1d([1], 'int32');
    await expectClose(
      attention(q, k, v, { mask: and(causal, padding(lengths)), scale }),
      [3, 0, 3, 0],
    );
  });

  test('query heads share key heads as if these were repeated', async () => {
    const q = gaussian([2, 6, 5, 7], 1);
    const [k, v] = [gaussian([2, 2, 11, 7], 2), gaussian([2, 2, 11, 7], 3)];
    const repeated = (x: tf.Tensor) => {
      const [first, second] = x.split(2, 1) as [tf.Tensor, tf.Tensor];
      return tf.concat([first, first, first, second, second, second], 1);
    };
    const shared = outputAndGradients(
      (q, k, v) => attention(q!, k!, v!, { mask: causal }),
      [q, k, v],
    );
    const copied = outputAndGradients(
      (q, k, v) => attention(q!, repeated(k!), repeated(v!), { mask: causal }),
      [q, k, v],
    );
    await expectClose(shared.output, copied.output);
    for (const [i, gradient] of shared.gradients.entries()) {
      await expectClose(gradient, copied.gradients[i]!, { floor: 1e-6 });
    }
  });

  test('shapes with a 0 give zeros, forward and backward', async () => {
    const q = gaussian([1, 2, 3, 5], 1);
    const none = tf.zeros([1, 2, 0, 5]);
    const { output, gradients } = outputAndGradients((q, k) => attention(q!, k!, k!), [q, none]);
    await expectClose(output, new Float32Array(30));
    expect(gradients.map(({ shape }) => shape)).toEqual([q.shape, none.shape]);
    expect(attention(none, q, q).shape).toEqual([1, 2, 0, 5]);
  });

  test('bad input is named', () => {
    const q = tf.zeros([2, 4, 3, 5]);
    const bad = (message: string, ...args: Parameters<typeof attention>) =>
      expect(() => attention(...args)).toThrow(message);
    bad('attention: q has shape [4, 3, 5]; expected [B, H, Tq, Dk]', tf.zeros([4, 3, 5]), q, q);
    bad(
      'attention: k has shape [1, 4, 3, 5]; expected [2, Hkv, Tk, 5]',
      q,
      tf.zeros([1, 4, 3, 5]),
      q,
    );
    bad(
      'attention: v has shape [2, 4, 4, 5]; expected [2, 4, 3, Dv]',
      q,
      q,
      tf.zeros([2, 4, 4, 5]),
    );
    const three = tf.zeros([2, 3, 3, 5]);
    bad("attention: q has 4 heads and k has 3; expected a multiple of k's", q, three, three);
    bad('attention: q has type int32; expected float32', q.toInt(), q, q);
    const lengths = padding(tf.tensor1d([1, 2, 3], 'int32'));
    bad('attention: mask padding: lengths has shape [3]; expected [2]', q, q, q, { mask: lengths });
    bad('attention: sinks has shape [3]; expected [4]', q, q, q, { sinks: tf.zeros([3]) });
    expect(() => padding(tf.tensor1d([1, 2]))).toThrow(
      'scoreTable: a tensor of type float32; expected int32',
    );
  });
});
