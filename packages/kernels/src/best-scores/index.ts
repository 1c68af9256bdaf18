import { checkShape, InputError, readTensor } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { refusedScore } from '../sampling/scores.js';
import { type BestScores, bestOfRow } from './reference.js';
import { bestScoresKernel } from './webgpu.js';

export type { BestScores } from './reference.js';

/**
 * The best scores of each row as log-probabilities; on WebGPU in one dispatch, so that `8 + 8 k` bytes a row are read in place of
 * `4 V`.
 *
 * @param scores `[N, V]`, float32
 * @param count `k`, at most `V`
 * @throws InputError naming row and token for a score that is NaN or +∞, or where all of a row are −∞
 */
export async function bestScores(scores: tf.Tensor2D, count: number): Promise<BestScores[]> {
  checkShape('bestScores: scores', scores.shape, ['N', 'V']);
  checkNotEmpty('bestScores: scores', scores);
  checkType('bestScores: scores', scores, 'float32');
  const [rows, vocabulary] = scores.shape;
  if (!(Number.isSafeInteger(count) && count >= 1 && count <= vocabulary)) {
    throw new InputError(
      `bestScores: count is ${count}; expected a whole number from 1 to ${vocabulary}`,
    );
  }
  if (!hasKernel('headwise/BestScores')) {
    const values = await readTensor(scores);
    return Array.from({ length: rows }, (_, row) =>
      bestOfRow(values.subarray(row * vocabulary, (row + 1) * vocabulary), count, row),
    );
  }
  const best = runKernel('headwise/BestScores', { scores }, { count })[0]!;
  try {
    const numbers = (await readTensor(best)) as Int32Array;
    const floats = new Float32Array(numbers.buffer, numbers.byteOffset, numbers.length);
    return Array.from({ length: rows }, (_, row) => {
      const start = row * (2 + 2 * count);
      if (numbers[start] !== 0) throw refusedScore('bestScores', row, ~numbers[start]!, vocabulary);
      const all = Array.from(numbers.subarray(start + 2, start + 2 + count));
      const ids = all.filter((id) => id >= 0);
      if (ids.length === 0) throw refusedScore('bestScores', row, vocabulary, vocabulary);
      const logSum = floats[start + 1]!;
      const logProbabilities = ids.map((_, i) => floats[start + 2 + count + i]! - logSum);
      return { ids, logProbabilities };
    });
  } finally {
    best.dispose();
  }
}

/** Makes `bestScores` use its WebGPU kernel. */
export function registerBestScores(): void {
  registerWebGPUKernel('headwise/BestScores', bestScoresKernel);
}
