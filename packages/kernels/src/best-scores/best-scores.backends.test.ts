import { cases, describeBackends, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { bestScores } from './index.js';
import { bestOfRow } from './reference.js';

describeBackends('bestScores', () => {
  const sizes = [1, 3, 63, 64, 65, 513, 5003];
  for (const vocabulary of cases(sizes, (n) => [1, 65, 5003].includes(n))) {
    test(`the best of ${vocabulary} scores are those of a sort, with their log-probabilities`, async () => {
      await poisonMemory([1, 8, 40].map((count) => [3, 2 + 2 * Math.min(vocabulary, count)]));
      // Rounded, so that many are equal; every fifth is −∞.
      const scores = tf.tidy(() => {
        const rounded = gaussian([3, vocabulary], vocabulary).mul(4).round();
        const out = tf
          .range(0, 3 * vocabulary)
          .reshape([3, vocabulary])
          .mod(5)
          .equal(4);
        return tf.where(out, tf.scalar(Number.NEGATIVE_INFINITY), rounded) as tf.Tensor2D;
      });
      const values = (await scores.array()) as number[][];
      for (const count of new Set([1, Math.min(vocabulary, 8), Math.min(vocabulary, 40)])) {
        for (const [row, { ids, logProbabilities }] of (
          await bestScores(scores, count)
        ).entries()) {
          const own = values[row]!;
          const sorted = [...own.keys()].filter((id) => own[id]! > -Infinity);
          sorted.sort((a, b) => own[b]! - own[a]! || a - b);
          expect(ids).toEqual(sorted.slice(0, count));
          const exact = bestOfRow(own, count, row).logProbabilities;
          for (const [i, log] of logProbabilities.entries()) expect(log).toBeCloseTo(exact[i]!, 4);
        }
      }
      scores.dispose();
    });
  }

  test('log-probabilities by hand, and scores that cannot be used are named', async () => {
    const logits = tf.tensor2d([[Math.log(0.5), Math.log(0.2), Math.log(0.3)]]);
    const before = tf.memory().numTensors;
    const [best] = await bestScores(logits, 2);
    expect(best!.ids).toEqual([0, 2]);
    expect(Math.exp(best!.logProbabilities[1]!)).toBeCloseTo(0.3, 5);
    expect(tf.memory().numTensors).toBe(before);
    const inf = Number.POSITIVE_INFINITY;
    const refused: [number[][], string][] = [
      [
        [
          [1, 2],
          [Number.NaN, 0],
        ],
        'bestScores: the score of token 0 in row 1 is NaN or +∞',
      ],
      [[[1, inf]], 'bestScores: the score of token 1 in row 0 is NaN or +∞'],
      [[[-inf, -inf]], 'bestScores: all 2 scores of row 0 are −∞'],
    ];
    for (const [rows, message] of refused) {
      await expect(bestScores(tf.tensor2d(rows), 2)).rejects.toThrow(message);
    }
    await expect(bestScores(logits, 4)).rejects.toThrow('bestScores: count is 4; expected a whole');
  });
});
