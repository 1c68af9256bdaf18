import { expectClose, gaussian, movesOf, poisonMemory, recordedBy } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { attention } from '../index.js';
import { causal } from '../masks/order.js';
import { attentionReference } from '../reference.js';

const heads = 4;
const inputs = (queries: number) =>
  [heads, 2, 2].map((count, i) => gaussian([2, count, queries, 7], i + 1)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
const given = { mask: causal, mods: [], scale: 0.4 };

for (const queries of [1, 63, 65, 513]) {
  test(`the gradient of sinks over ${queries} queries of two sequences is the reference's, the same bits twice`, async () => {
    const [q, k, v] = inputs(queries);
    const sinks = gaussian([heads], 4);
    const dy = gaussian(q.shape, 5);
    const gradient = (of: typeof attention) =>
      tf.grad((sinks) => of(q, k, v, { ...given, sinks }))(sinks, dy);
    await poisonMemory([[heads]]);
    const found = gradient(attention);
    await expectClose(found, gradient(attentionReference as typeof attention), { ratio: 1e-5 });
    expect(await gradient(attention).data()).toEqual(await found.data());
  });
}

test('the gradient of sinks is one dispatch, which copies nothing', async () => {
  const [q, k, v] = inputs(9);
  const sinks = gaussian([heads], 4);
  const run = () => tf.dispose(tf.grad((sinks) => attention(q, k, v, { ...given, sinks }))(sinks));
  const recorded = await recordedBy(run);
  expect(movesOf(recorded)).toEqual([]);
  const own = recorded.programs.filter((label) => label === 'headwise/AttentionSinkGradient');
  expect(own).toHaveLength(1);
  expect(recorded.programs.filter((label) => !label.startsWith('headwise/'))).toEqual([]);
});
