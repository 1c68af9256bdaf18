import type { ScoreMod } from '@headwise/kernels';
import { describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { attend } from '../attend.js';
import { softCapMod } from './soft-cap.js';
import { temperatureMod } from './temperature.js';

describeBackends('mods of scores', () => {
  /** Scores 0, 3 and 30, and values that show the weights. */
  const weights = (...mods: ScoreMod[]) => {
    const q = tf.tensor4d([3], [1, 1, 1, 1]);
    const k = tf.tensor4d([0, 1, 10], [1, 1, 3, 1]);
    return attend(q, k, tf.eye(3).reshape([1, 1, 3, 3]), { scale: 1, mods });
  };
  const softmax = (...scores: number[]) => {
    const sum = scores.reduce((s, x) => s + Math.exp(x), 0);
    return scores.map((x) => Math.exp(x) / sum);
  };

  test('soft-cap is c tanh(s / c), temperature s / t, in their order', async () => {
    const capped = (s: number) => 2 * Math.tanh(s / 2);
    await expectClose(weights(softCapMod(2)), softmax(0, capped(3), capped(30)));
    await expectClose(weights(temperatureMod(10)), softmax(0, 0.3, 3));
    await expectClose(
      weights(temperatureMod(10), softCapMod(2)),
      softmax(0, capped(0.3), capped(3)),
    );
  });

  test('each head has its own learned temperature, and a gradient for it', async () => {
    const [q, k, v] = [1, 2, 3].map((seed) => gaussian([2, 2, 5, 4], seed)) as tf.Tensor[];
    const run = (t: tf.Tensor) => attend(q!, k!, v!, { mods: [temperatureMod(t)] });
    const at = (...t: number[]) => run(tf.tensor1d(t));
    const half = [2, 1, 5, 4];
    await expectClose(at(1, 3).slice([0, 0, 0, 0], half), at(1, 1).slice([0, 0, 0, 0], half));
    await expectClose(at(1, 3).slice([0, 1, 0, 0], half), at(3, 3).slice([0, 1, 0, 0], half));
    const gradient = tf.grad((t) => run(t).square().sum())(tf.tensor1d([1, 3]));
    const sum = async (...t: number[]) =>
      (
        await at(...t)
          .square()
          .sum()
          .data()
      )[0]!;
    const expected = [
      ((await sum(1.01, 3)) - (await sum(0.99, 3))) / 0.02,
      ((await sum(1, 3.05)) - (await sum(1, 2.95))) / 0.1,
    ];
    await expectClose(gradient, expected, { ratio: 2e-3 });
  });

  test('what cannot be is named', () => {
    expect(() => softCapMod(0)).toThrow('softCapMod: the cap is 0; expected a positive number');
    expect(() => temperatureMod(-1)).toThrow('temperatureMod: t is -1; expected a positive number');
    expect(() => temperatureMod(tf.zeros([2, 2]))).toThrow(
      'temperatureMod: t has shape [2, 2]; expected [H]',
    );
  });
});
