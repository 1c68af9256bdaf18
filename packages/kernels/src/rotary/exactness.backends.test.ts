import {
  describeKernels,
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  outputAndGradientsOnCpu,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { Heads } from '../attention/heads.js';
import { rotary, turnHeads } from './index.js';
import { rotaryReference } from './reference.js';

const tables = (length: number, pairs: number): [tf.Tensor2D, tf.Tensor2D] => {
  const angles = gaussian([length, pairs], 7).mul<tf.Tensor2D>(3);
  return [angles.cos(), angles.sin()];
};

/** Leading sizes, length, width and pairs: all channels, some, one pair, an odd width, one position. */
const sizes = [
  [[1], 1, 2, 1],
  [[2, 3], 63, 64, 32],
  [[3], 65, 40, 8],
  [[1, 2], 127, 7, 3],
  [[1], 513, 80, 40],
  [[5], 3, 9, 1],
] as const;

describeKernels('rotary as a kernel', () => {
  for (const layout of ['half-split', 'interleaved'] as const) {
    describe(`rotary ${layout} equals the reference`, () => {
      for (const [leading, length, width, pairs] of sizes) {
        test(`[${[...leading, length, width]}], ${pairs} pairs`, async () => {
          const shape = [...leading, length, width];
          const x = gaussian(shape, 1);
          const [cos, sin] = tables(length, pairs);
          const [c, s] = await Promise.all([cos.data(), sin.data()]);
          const expected = await outputAndGradientsOnCpu(
            (x) =>
              rotaryReference(x!, tf.tensor2d(c, cos.shape), tf.tensor2d(s, sin.shape), layout),
            [x],
          );
          await poisonMemory([shape]);
          const actual = outputAndGradients((x) => rotary(x!, cos, sin, layout), [x]);
          await expectClose(actual.output, expected.output, { ratio: 1e-6 });
          await expectClose(actual.gradients[0]!, expected.gradients[0]!, { ratio: 1e-6 });
        });
      }
    });
  }

  test('rotary keeps finite at large magnitudes, gives the same bits twice and leaves no tensor', async () => {
    const x = gaussian([2, 33, 16], 1).mul(1e30);
    const [cos, sin] = tables(33, 8);
    const run = () => outputAndGradients((x) => rotary(x!, cos, sin), [x]);
    const [first, second] = [run(), run()];
    const values = await first.output.data();
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values).toEqual(await second.output.data());
    expect(await first.gradients[0]!.data()).toEqual(await second.gradients[0]!.data());
    await expectNoLeak(() => {
      const { output, gradients } = run();
      tf.dispose([output, ...gradients]);
    });
  });

  for (const own of [false, true]) {
    test(`heads turn where they lie${own ? ', each sequence by its own angles' : ''}: in one tensor in one dispatch, the same bits`, async () => {
      const [batch, length, width, pairs] = [3, 33, 10, 4];
      const [all, one] = tables(length * (own ? batch : 1), pairs);
      const shape = own ? [batch, length, pairs] : [length, pairs];
      const turn = {
        cos: all.reshape(shape),
        sin: one.reshape(shape),
        layout: 'half-split',
      } as const;
      const x = gaussian([batch, length, 7, width], 1); // 4 heads of queries, 2 of keys, 1 of values
      const parts = (x: tf.Tensor) => ({
        q: Heads.ofTokens(x, 0, 4),
        k: Heads.ofTokens(x, 4, 2),
        v: Heads.ofTokens(x, 6, 1),
      });
      const ofFirst = (x: tf.Tensor, count: number) => {
        const [turning, passing] = x.transpose([0, 2, 1, 3]).split([count, 7 - count], 1);
        const turned = rotary(turning!, turn.cos, turn.sin);
        return tf.concat([turned, passing!], 1).transpose([0, 2, 1, 3]);
      };
      const expected = outputAndGradients((x) => ofFirst(x!, 6), [x]);
      await poisonMemory([x.shape]);
      const actual = outputAndGradients((x) => turnHeads(parts(x!), turn).v.tensor, [x]);
      expect(await actual.output.data()).toEqual(await expected.output.data());
      expect(await actual.gradients[0]!.data()).toEqual(await expected.gradients[0]!.data());
      // Apart from each other they take a dispatch each.
      const moved = { ...parts(x), k: Heads.ofTokens(x, 5, 2) };
      const { q, k } = turnHeads(moved, turn);
      const [first, second] = [q.headsFirst(), k.headsFirst()];
      const plain = (h: Heads) => rotary(h.headsFirst(), turn.cos, turn.sin);
      expect(await first.data()).toEqual(await plain(moved.q).data());
      expect(await second.data()).toEqual(await plain(moved.k).data());
    });
  }
});
