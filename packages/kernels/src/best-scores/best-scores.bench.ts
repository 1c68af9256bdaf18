import { readTensor } from '@headwise/core';
import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { bestScores } from './index.js';
import { bestOfRow } from './reference.js';

function contestants(rows: number, vocabulary: number, count: number) {
  const scores = gaussian([rows, vocabulary], 1) as tf.Tensor2D;
  /** As one writes it with TensorFlow.js. */
  const stock = async () => {
    const [values, indices] = tf.tidy(() => {
      const { values, indices } = tf.topk(tf.logSoftmax(scores), count);
      return [values, indices];
    });
    await readTensor(values!);
    await readTensor(indices!);
    tf.dispose([values!, indices!]);
  };
  const javascript = async () => {
    // A copy, as a tensor keeps what was read of it.
    const copy = scores.add(0);
    const values = await readTensor(copy);
    copy.dispose();
    for (let row = 0; row < rows; row++) {
      bestOfRow(values.subarray(row * vocabulary, (row + 1) * vocabulary), count, row);
    }
  };
  return {
    ours: async () => void (await bestScores(scores, count)),
    peers: { stock, javascript },
    dispose: () => scores.dispose(),
  };
}

export const workloads: Workload[] = [1024, 50_257].map((vocabulary) => ({
  name: `best-scores/V${vocabulary}`,
  backends: ['webgpu'] as const,
  prepare: () => contestants(4, vocabulary, 8),
}));
