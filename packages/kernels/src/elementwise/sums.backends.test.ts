import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';

for (const count of [1, 2, 9, 10, 11, 17, 18, 40]) {
  test(`addN of ${count} tensors is their sum, and leaves none of its own`, async () => {
    const tensors = Array.from({ length: count }, (_, i) => tf.tensor2d([[i, 1, 2 * i]], [1, 3]));
    const before = tf.memory().numTensors;
    const sum = tf.addN(tensors);
    expect(tf.memory().numTensors).toBe(before + 1);
    const total = (count * (count - 1)) / 2;
    expect([...(await sum.data())]).toEqual([total, count, 2 * total]);
    tf.dispose([sum, ...tensors]);
  });
}
