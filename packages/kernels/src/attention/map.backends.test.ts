import { describeBackends, expectClose, expectNoLeak, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { attention, attentionWithLogSumExp } from './index.js';
import { attentionMap } from './map.js';
import { causal } from './masks/order.js';
import { scoreMod } from './mods.js';

describeBackends('attentionMap', () => {
  const options = {
    mask: causal,
    mods: [scoreMod((score, _b, h, q, k) => score.add(q.sub(k).mul(h).toFloat().mul(-0.1)))],
    sinks: tf.tensor1d([0.5, -1, 0, 2]),
  };

  test('gives the weights and the log-sum-exp of fused attention, for the rows and heads that are asked for', async () => {
    const [q, k] = [gaussian([2, 4, 5, 3], 1), gaussian([2, 2, 7, 3], 2)];
    const identity = tf.eye(7).reshape([1, 1, 7, 7]).tile([2, 2, 1, 1]); // outputs are the weights
    const { output, logSumExp } = attentionWithLogSumExp(q, k, identity, options);
    await expectClose(output, attention(q, k, identity, options));
    const [rows, heads] = [[4, 1] as const, [3, 0, 2] as const];
    const asked = (x: tf.Tensor) =>
      x.gather(tf.tensor1d([...heads], 'int32'), 1).gather(tf.tensor1d([...rows], 'int32'), 2);
    const { scores, weights } = attentionMap(q, k, { rows, heads }, options);
    await expectClose(weights, asked(output));
    // w = e^(s − log-sum-exp), where the query sees the key.
    const [largest, logSum] = asked(logSumExp).split(2, -1) as [tf.Tensor, tf.Tensor];
    const made = scores.sub(largest).sub(logSum).exp();
    await expectClose(tf.where(weights.greater(0), made, tf.zerosLike(made)), weights);
    await expectClose(attentionMap(q, k, {}, options).weights, output);
    await expectNoLeak(() => {
      const both = attentionWithLogSumExp(q, k, identity, options);
      tf.dispose([both.output, both.logSumExp]);
    });
  });

  test('bad input is named', () => {
    const q = tf.zeros([1, 2, 3, 5]);
    const of = (rows: number[], heads?: number[]) => () =>
      attentionMap(q, q, heads ? { rows, heads } : { rows });
    expect(of([3])).toThrow('attention map: row 3 does not exist; expected 0 to 2');
    expect(of([])).toThrow('attention map: no row is asked for');
    expect(of([0], [-1])).toThrow('attention map: head -1 does not exist; expected 0 to 1');
  });
});
