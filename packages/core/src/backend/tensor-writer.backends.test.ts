import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { readTensor } from '../index.js';
import { tensorWriter, writesDone } from '../internal.js';

describeBackends('a tensor that is written in pieces', () => {
  test('holds what was written, however often its memory was used before', async () => {
    const before = tf.memory().numTensors;
    for (let round = 1; round <= 3; round++) {
      const writer = tensorWriter([3, 35]);
      const piece = new Float32Array(35);
      for (const row of [2, 0, 1]) {
        piece.fill(100 * round + row);
        writer.write(35 * row, piece);
      }
      await writesDone();
      const tensor = writer.finish();
      expect(tensor.shape).toEqual([3, 35]);
      const expected = Array.from({ length: 105 }, (_, i) => 100 * round + Math.floor(i / 35));
      const copy = tensor.mul(1);
      expect([...(await readTensor(copy))]).toEqual(expected);
      tf.dispose([tensor, copy]);
    }
    tensorWriter([1000]).cancel();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('is not overwritten by an upload that was recorded before it', async () => {
    const used = tf.ones([3, 37]).mul(2);
    await used.data();
    used.dispose();
    const uploaded = tf.tensor(new Float32Array(111).fill(-1), [3, 37]);
    const backend = tf.backend() as { uploadToGPU?: (dataId: object) => void };
    backend.uploadToGPU?.(uploaded.dataId);
    uploaded.dispose();
    const writer = tensorWriter([3, 37]);
    writer.write(0, new Float32Array(111).fill(7));
    const written = writer.finish();
    expect([...(await readTensor(written))]).toEqual(Array(111).fill(7));
    written.dispose();
  });
});
