import { type LanguageModel, readTensor } from '@headwise/core';
import type { GeneratedToken } from '@headwise/generation';
import * as tf from '@tensorflow/tfjs';

/** Rows of scores whose logarithms are taken at once. */
const rowsAtOnce = 64;

/**
 * The probability of every token of a text but the first, with the likeliest tokens in its place.
 *
 * @param ids in [0, V), at least one; the scores of all, `[T, V]`, are in memory at once
 * @param most the number of alternatives
 */
export async function promptProbabilities(
  network: LanguageModel,
  ids: readonly number[],
  most: number,
): Promise<GeneratedToken[]> {
  const places = ids.length - 1;
  if (places === 0) return [];
  const { vocabSize } = network;
  const count = Math.min(most, vocabSize);
  const scores = tf.tidy(() =>
    network
      .forward(tf.tensor2d(ids.slice(0, -1), [1, places], 'int32'))
      .reshape<tf.Tensor2D>([places, vocabSize]),
  );
  const tokens: GeneratedToken[] = [];
  try {
    for (let at = 0; at < places; at += rowsAtOnce) {
      const next = ids.slice(at + 1, Math.min(at + rowsAtOnce, places) + 1);
      const parts = tf.tidy(() => {
        const log = tf.logSoftmax(scores.slice([at, 0], [next.length, vocabSize]));
        const flat = next.map((id, row) => row * vocabSize + id);
        const drawn = tf.gather(log.reshape([next.length * vocabSize]), tf.tensor1d(flat, 'int32'));
        const { values, indices } = tf.topk(log, Math.max(1, count));
        return [drawn, values, indices] as const;
      });
      try {
        const [logs, values, indices] = await Promise.all(parts.map(readTensor));
        for (const [row, id] of next.entries()) {
          const alternatives = Array.from({ length: count }, (_, i) => ({
            id: indices![row * count + i]!,
            logProbability: values![row * count + i]!,
          }));
          tokens.push({ id, logProbability: logs![row]!, alternatives });
        }
      } finally {
        tf.dispose([...parts]);
      }
    }
  } finally {
    scores.dispose();
  }
  return tokens;
}
