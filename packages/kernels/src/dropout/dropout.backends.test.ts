import {
  describeBackends,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { dropout } from './index.js';
import { dropoutMask, dropoutReference } from './reference.js';

describeBackends('dropout', () => {
  for (const size of [1, 3, 63, 64, 65, 127, 256, 513, 1029]) {
    test(`dropout of ${size} values has the reference's mask, forward and backward`, async () => {
      const x = gaussian([size], 1);
      for (const [rate, seed] of [
        [0.1, 0],
        [0.5, 0xffffffff],
        [0.9, 2 ** 32 + 1],
      ] as const) {
        const of = (f: typeof dropout) => outputAndGradients((x) => f(x, rate, seed), [x]);
        const expected = of(dropoutReference);
        await poisonMemory([[size]]);
        const actual = of(dropout);
        expect(await actual.output.data()).toEqual(await expected.output.data());
        expect(await actual.gradients[0]!.data()).toEqual(await expected.gradients[0]!.data());
      }
    });
  }

  test('dropout keeps rank and expectation, and drops as often as the rate says', async () => {
    const y = dropout(tf.ones([100, 101]), 0.25, 7);
    expect(y.shape).toEqual([100, 101]);
    const values = [...(await y.data())];
    expect(new Set(values)).toEqual(new Set([0, Math.fround(4 / 3)]));
    const dropped = values.filter((v) => v === 0).length / values.length;
    // Three standard deviations of the mean of 10,100 draws.
    expect(Math.abs(dropped - 0.25)).toBeLessThan(0.013);
    expect([...(await dropout(tf.ones([3]), 0, 7).data())]).toEqual([1, 1, 1]);
  });

  test('dropout refuses what it cannot use, and leaves nothing behind', async () => {
    const x = tf.ones([5]);
    expect(() => dropout(x, 1, 0)).toThrow('dropout: rate is 1; expected 0 ≤ rate < 1');
    expect(() => dropout(x, 0.5, -1)).toThrow('dropout: seed is -1');
    expect(() => dropout(tf.zeros([0, 3]), 0.5, 1)).toThrow('x has shape [0, 3]');
    expect(() => dropout(tf.zeros([3], 'int32'), 0.5, 1)).toThrow('x has type int32');
    await expectNoLeak(() => {
      const { output, gradients } = outputAndGradients((x) => dropout(x, 0.5, 1), [x]);
      tf.dispose([output, gradients]);
    });
  });
});

test('neighbouring seeds and places draw independently', () => {
  const [a, b] = [dropoutMask(40_000, 0.5, 1), dropoutMask(40_000, 0.5, 2)];
  const agree = (of: (i: number) => boolean) =>
    Array.from({ length: 39_000 }, (_, i) => of(i)).filter(Boolean).length / 39_000;
  for (const share of [
    agree((i) => a[i] === b[i]),
    agree((i) => a[i] === a[i + 1]),
    agree((i) => a[i] === a[i + 64]),
    agree((i) => a[i] === a[i + 256]),
  ]) {
    expect(Math.abs(share - 0.5)).toBeLessThan(0.01);
  }
});
