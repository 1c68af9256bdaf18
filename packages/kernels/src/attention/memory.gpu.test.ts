import { currentDevice } from '@headwise/core';
import { gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { attention } from './index.js';
import { causal } from './masks/order.js';

/** The parts of the backend that count buffers in use. */
interface Backend {
  bufferManager: { numBytesUsed: number; acquireBuffer: (...args: unknown[]) => unknown };
}

/** The most bytes in use beyond those before, while a function runs. */
function peakBytes(run: () => tf.Tensor[]): number {
  const { bufferManager } = tf.backend() as unknown as Backend;
  const acquire = bufferManager.acquireBuffer;
  const base = bufferManager.numBytesUsed;
  let peak = base;
  bufferManager.acquireBuffer = (...args) => {
    const buffer = acquire.apply(bufferManager, args);
    peak = Math.max(peak, bufferManager.numBytesUsed);
    return buffer;
  };
  try {
    tf.dispose(run());
  } finally {
    bufferManager.acquireBuffer = acquire;
  }
  return peak - base;
}

test('memory of a training step grows with T, and stays below 6 times the size of q', async () => {
  const lengths = [256, 512, 1024];
  const peaks: number[] = [];
  for (const length of lengths) {
    const shape = [1, 2, length, 64];
    const inputs = [gaussian(shape, 1), gaussian(shape, 2), gaussian(shape, 3)];
    const dy = gaussian(shape, 4);
    for (const x of [...inputs, dy]) await x.add(0).data();
    const step = () =>
      tf.grads((q, k, v) => attention(q!, k!, v!, { mask: causal }))(inputs, dy) as tf.Tensor[];
    tf.dispose(step());
    const peak = peakBytes(step);
    expect(peak).toBeLessThanOrEqual(6 * 4 * tf.util.sizeFromShape(shape));
    peaks.push(peak);
  }
  const exponent = Math.log2(peaks[2]! / peaks[0]!) / 2;
  expect(exponent).toBeLessThan(1.05);
});

test('a tensor larger than what the device can bind is named, with both sizes', () => {
  const limit = currentDevice()!.gpu.limits.maxStorageBufferBindingSize;
  const rows = Math.ceil(limit / 4 / 64) + 1;
  // Beyond 1 GiB even the test's own array would be too large.
  if (limit > 2 ** 30) return;
  const q = tf.tensor4d(new Float32Array(rows * 64), [1, 1, rows, 64]);
  const k = gaussian([1, 1, 3, 64], 1);
  expect(() => attention(q, k, k)).toThrow(
    `headwise/Attention: 'q' of shape [1, 1, ${rows}, 64] takes ${rows * 256} bytes; the device binds at most ${limit}`,
  );
  q.dispose();
});
