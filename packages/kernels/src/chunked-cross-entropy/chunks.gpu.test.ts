import { expectClose, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { lossInChunks } from './chunks.js';

const [rows, width, vocabulary] = [23, 13, 127];

function given() {
  const labels = tf.tensor1d(
    Array.from({ length: rows }, (_, i) => (i * 37) % vocabulary),
    'int32',
  );
  return {
    hidden: gaussian([rows, width], 1) as tf.Tensor2D,
    weight: gaussian([vocabulary, width], 2) as tf.Tensor2D,
    labels,
    bias: gaussian([vocabulary], 4) as tf.Tensor1D,
    shares: gaussian([rows], 3) as tf.Tensor1D,
    attributes: { labelSmoothing: 0.1, ignoreIndex: 37, zLoss: 1e-3 },
  };
}

test('the loss and its gradients do not depend on how many rows are taken at a time', async () => {
  const whole = lossInChunks(given(), true, rows);
  for (const most of [1, 3, 8, 22, 100]) {
    await poisonMemory([[most, vocabulary], [vocabulary, width], [rows, width], [rows]]);
    const parts = lossInChunks(given(), true, most);
    await expectClose(parts.loss, whole.loss);
    await expectClose(parts.dHidden!, whole.dHidden!);
    await expectClose(parts.dWeight!, whole.dWeight!);
    await expectClose(parts.dBias!, whole.dBias!);
  }
});

test('the loss and its gradients have the same bits twice', async () => {
  const [first, second] = [lossInChunks(given(), true, 5), lossInChunks(given(), true, 5)];
  for (const name of ['loss', 'dHidden', 'dWeight', 'dBias'] as const) {
    expect(await first[name]!.data()).toEqual(await second[name]!.data());
  }
});
