import { ParamStore, type TokenCache } from '@headwise/core';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { LearnedPosition, SinusoidalPosition, sinusoidalTable } from './index.js';

test('the sinusoidal table is that of the paper', () => {
  const table = sinusoidalTable(3, 4);
  const expected = [0, 1, 2].flatMap((t) => [
    Math.sin(t),
    Math.cos(t),
    Math.sin(t / 100),
    Math.cos(t / 100),
  ]);
  for (const [i, value] of expected.entries()) expect(table[i]).toBeCloseTo(value, 7);
  const halves = sinusoidalTable(3, 4, { layout: 'halves' });
  const apart = [0, 1, 2].flatMap((t) => [0, 2, 1, 3].map((i) => table[4 * t + i]!));
  expect([...halves]).toEqual(apart);
  expect(() => sinusoidalTable(3, 5)).toThrow('sinusoidal positions need an even dim; got 5');
});

describeBackends('positions', () => {
  test('start at 0, or after the tokens in the cache, and end at maxLength', async () => {
    const params = new ParamStore({ seed: 1 });
    const learned = new LearnedPosition(params, { maxLength: 5, dim: 4 });
    const tables = [
      [learned, await params.named().weight!.data()],
      [new SinusoidalPosition({ maxLength: 5, dim: 4 }), sinusoidalTable(5, 4)],
    ] as const;
    for (const [position, table] of tables) {
      await expectClose(position.forward(tf.zeros([1, 3, 4])), table.slice(0, 12));
      const after = (...starts: number[]): TokenCache => ({
        starts,
        length: Math.max(...starts),
        lengthOf: () => Math.max(...starts),
      });
      const cache = after(3);
      const later = position.forward(tf.ones([1, 2, 4]), { cache });
      await expectClose(
        later,
        [...table.slice(12, 20)].map((v) => v + 1),
      );
      expect(() => position.forward(tf.zeros([1, 3, 4]), { cache })).toThrow(
        "a sequence of 6 tokens is longer than the model's maxLength of 5",
      );
      // Sequences of 2 and 3 tokens in the cache go on each from its own.
      const apart = position.forward(tf.zeros([2, 2, 4]), { cache: after(2, 3) });
      await expectClose(apart, [...table.slice(8, 16), ...table.slice(12, 20)]);
      const ends = position.forward(tf.zeros([2, 3, 4]), {
        cache: after(2, 3),
        lengths: [3, 2],
      });
      await expectClose(
        ends,
        [8, 12, 16, 12, 16, 16].flatMap((at) => [...table.slice(at, at + 4)]),
      );
    }
    params.dispose();
  });

  test('learned positions may start at a later row of the table', async () => {
    const params = new ParamStore({ seed: 1 });
    const position = new LearnedPosition(params, { maxLength: 3, dim: 4, offset: 2 });
    expect(params.named().weight!.shape).toEqual([5, 4]);
    const table = await params.named().weight!.data();
    await expectClose(position.forward(tf.zeros([1, 3, 4])), table.slice(8, 20));
    expect(() => position.forward(tf.zeros([1, 4, 4]))).toThrow('maxLength of 3');
    params.dispose();
  });

  test('learned vectors get the sum of the gradients at their position', async () => {
    const params = new ParamStore({ seed: 1 });
    const position = new LearnedPosition(params, { maxLength: 3, dim: 2 });
    const table = params.named().weight!;
    const { grads } = tf.variableGrads(() => position.forward(tf.zeros([5, 2, 2])).sum(), [table]);
    expect([...(await grads[table.name]!.data())]).toEqual([5, 5, 5, 5, 0, 0]);
    params.dispose();
  });
});
