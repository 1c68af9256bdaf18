import { describeBackends, expectClose, expectNoLeak, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { attention, attentionWithLogSumExp } from './index.js';
import { causal } from './masks/order.js';
import { scoreMod } from './mods.js';
import { attentionWeights } from './weights.js';

describeBackends('attentionWeights', () => {
  const options = {
    mask: causal,
    mods: [scoreMod((score, _b, h, q, k) => score.add(q.sub(k).mul(h).toFloat().mul(-0.1)))],
    sinks: tf.tensor1d([0.5, -1, 0, 2]),
  };

  test('are those of attention over values that show them, for the rows and heads that are asked for', async () => {
    const [q, k] = [gaussian([2, 4, 5, 3], 1), gaussian([2, 2, 7, 3], 2)];
    const identity = tf.eye(7).reshape([1, 1, 7, 7]).tile([2, 2, 1, 1]);
    const { output, logSumExp } = attentionWithLogSumExp(q, k, identity, options);
    await expectClose(output, attention(q, k, identity, options));
    const [rows, heads] = [
      [4, 1],
      [3, 0, 2],
    ];
    const asked = (x: tf.Tensor) =>
      x.gather(tf.tensor1d(heads!, 'int32'), 1).gather(tf.tensor1d(rows!, 'int32'), 2);
    const { mask, mods } = options;
    await expectClose(
      attentionWeights(q, k, logSumExp, { rows: rows!, heads, mask, mods }),
      asked(output),
    );
    const all = attentionWeights(q, k, logSumExp, { rows: [0, 1, 2, 3, 4], mask, mods });
    await expectClose(all, output);
    await expectNoLeak(() => {
      const made = attentionWithLogSumExp(q, k, identity, options);
      tf.dispose([made.output, made.logSumExp]);
    });
  });

  test('bad input is named', () => {
    const q = tf.zeros([1, 2, 3, 5]);
    const of = (rows: number[], heads?: number[]) => () =>
      attentionWeights(q, q, tf.zeros([1, 2, 3, 2]), { rows, heads });
    expect(of([3])).toThrow('attentionWeights: rows hold 3; expected numbers from 0 to 2');
    expect(of([])).toThrow('attentionWeights: rows are empty; expected numbers from 0 to 2');
    expect(of([0], [-1])).toThrow('attentionWeights: heads hold -1; expected numbers from 0 to 1');
    expect(() => attentionWeights(q, q, tf.zeros([1, 2, 3]), { rows: [0] })).toThrow(
      'attentionWeights: logSumExp has shape [1, 2, 3]; expected [1, 2, 3, 2]',
    );
  });
});
