import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW } from './adamw.js';
import { clipping } from './clip.js';
import adamwGolden from './goldens/adamw.json' with { type: 'json' };
import clipGolden from './goldens/clip.json' with { type: 'json' };

describeBackends('PyTorch', () => {
  test('AdamW makes the steps that PyTorch makes', async () => {
    const { options, initial, steps } = adamwGolden.cases[0]!;
    const params = {
      matrix: tf.variable(tf.tensor2d(initial.matrix, [3, 5])),
      vector: tf.variable(tf.tensor1d(initial.vector)),
    };
    const optimizer = new AdamW(params, options);
    for (const { learningRate, gradients, after } of steps) {
      const given = {
        matrix: tf.tensor2d(gradients.matrix, [3, 5]),
        vector: tf.tensor1d(gradients.vector),
      };
      optimizer.update(given, learningRate);
      await expectClose(params.matrix, after.matrix, { ratio: 2e-6 });
      await expectClose(params.vector, after.vector, { ratio: 2e-6 });
    }
    expect(optimizer.steps).toBe(5);
    expect(() => optimizer.update({ matrix: params.matrix }, 0.1)).toThrow(
      "AdamW: no gradient for parameter 'vector'",
    );
  });

  test('clipping scales gradients as PyTorch does', async () => {
    for (const { maxNorm, before, norm, after } of clipGolden.cases) {
      const gradients = Object.fromEntries(before.map((g, i) => [String(i), tf.tensor1d(g)]));
      const { norm: measured, scale } = clipping(gradients, maxNorm);
      await expectClose(measured, [norm], { ratio: 1e-6 });
      for (const [i, expected] of after.entries()) {
        await expectClose(gradients[i]!.mul(scale), expected, { ratio: 1e-6 });
      }
    }
  });
});
