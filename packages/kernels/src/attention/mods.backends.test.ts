import { InputError } from '@headwise/core';
import { checkGradients, describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { type FloatExpression, type IntExpression, select } from './expression/expression.js';
import { scoreTable } from './expression/table.js';
import { attention } from './index.js';
import { visible } from './masks/mask.js';
import { causal } from './masks/order.js';
import { type ScoreMod, scoreMod } from './mods.js';

/** Scores whose softmax shows them: with values of one, two … in the columns of an identity. */
const identity = (keys: number) => tf.eye(keys).reshape([1, 1, keys, keys]);

describeBackends('score mods', (backend) => {
  test('are applied to the scaled product, in their order', async () => {
    // Products of 1 · key, scaled by 2: 0, 2, 4.
    const [q, k] = [tf.tensor4d([1, 1], [1, 1, 2, 1]), tf.tensor4d([0, 1, 2], [1, 1, 3, 1])];
    const half = scoreMod((score) => score.div(2));
    // Queries stand at places 1 and 2.
    const distance = scoreMod((score, _b, _h, q, k) => score.sub(q.sub(k).abs().toFloat()));
    const weights = attention(q, k, identity(3), { scale: 2, mods: [half, distance] });
    const softmax = (...scores: number[]) => {
      const sum = scores.reduce((s, x) => s + Math.exp(x), 0);
      return scores.map((x) => Math.exp(x) / sum);
    };
    await expectClose(weights, [...softmax(-1, 1, 1), ...softmax(-2, 0, 2)]);
  });

  test('every operation means what it says', async () => {
    const values = [-1.5, 0.25, 2];
    const places = scoreTable(tf.tensor1d(values));
    type Operation = (x: FloatExpression, k: IntExpression) => FloatExpression;
    const operations: Record<string, [expected: number[], Operation]> = {
      abs: [[1.5, 0.25, 2], (x) => x.abs()],
      exp: [values.map(Math.exp), (x) => x.exp()],
      log: [[2.5, 1.25, 3].map(Math.log), (x) => x.abs().add(1).log()],
      tanh: [values.map(Math.tanh), (x) => x.tanh()],
      square: [[2.25, 0.0625, 4], (x) => x.square()],
      sqrt: [[1.5, 0.25, 2], (x) => x.square().sqrt()],
      floor: [[-2, 0, 2], (x) => x.floor()],
      'min, max': [[-1, 0.25, 1], (x) => x.min(1).max(-1)],
      'neg, div': [[0.75, -0.125, -1], (x) => x.neg().div(2)],
      select: [[-1.5, 5, 5], (x) => select(x.less(0), x, 5)],
      'or, not': [[9, 0.25, 9], (x) => select(x.less(0).or(x.less(2).not()), 9, x)],
      equal: [[0, 0, 1], (x) => select(x.equal(2), 1, x.mul(0))],
      'int div': [[-1, 0, 0], (_, k) => k.sub(1).div(2).toFloat()],
      'int mod': [[2, 0, 1], (_, k) => k.sub(1).mod(3).toFloat()],
      'negative divisor': [[0, 0, -1], (_, k) => k.sub(1).div(-2).toFloat()],
      'abs, neg': [[-1, 0, -1], (_, k) => k.sub(1).abs().neg().toFloat()],
      toInt: [[-1, 0, 2], (x) => x.toInt().toFloat()],
      'nearest end': [[2, 2, -1.5], (_, k) => places.at(k.mul(-9).add(9).add(9).sub(k))],
    };
    const all = Object.values(operations);
    // One head for each operation, so that one program has them all.
    const mod = scoreMod((_s, _b, h, _q, k) =>
      all
        .map(([, of]) => of(places.at(k), k))
        .reduce((rest, score, i) => select(h.equal(i), score, rest)),
    );
    const shape = [1, all.length, 1, 1];
    const y = attention(tf.zeros(shape), tf.zeros([1, 1, 3, 1]), identity(3), { mods: [mod] });
    const weights = await y.array();
    for (const [i, name] of Object.keys(operations).entries()) {
      const exponentials = all[i]![0].map(Math.exp);
      const sum = exponentials.reduce((s, x) => s + x, 0);
      try {
        await expectClose(
          tf.tensor1d((weights as number[][][][])[0]![i]![0]!),
          exponentials.map((x) => x / sum),
        );
      } catch (error) {
        throw new Error(`${name}: ${(error as Error).message}`);
      }
    }
  });

  test('gradients flow to tables, variables and sinks', async () => {
    const inputs = [
      gaussian([2, 4, 3, 5], 1),
      gaussian([2, 2, 7, 5], 2),
      gaussian([2, 2, 7, 3], 3),
      gaussian([4], 4),
      gaussian([4, 13], 5),
      gaussian([4], 6),
    ];
    await checkGradients((q, k, v, slopes, distances, sinks) => {
      const linear = scoreMod((score, _b, h, q, k) =>
        score.add(scoreTable(slopes!).at(h).mul(k.sub(q).toFloat())),
      );
      const relative = scoreMod((score, _b, h, q, k) =>
        score.add(scoreTable(distances!).at(h, k.sub(q).add(6))),
      );
      const cap = scoreMod((score) => score.div(3).tanh().mul(3));
      return attention(q!, k!, v!, { mods: [linear, relative, cap], sinks: sinks!, mask: causal });
    }, inputs);
  });

  test('gradients of every operation of two values are summed over the axes that it broadcasts', async () => {
    const inputs = [
      gaussian([2, 2, 3, 5], 1),
      gaussian([2, 2, 4, 5], 2),
      gaussian([2, 2, 4, 3], 3),
      gaussian([6, 2], 4),
    ];
    await checkGradients((q, k, v, table) => {
      const learned = scoreTable(table!);
      const mod = scoreMod((score, _b, h, _q, k) => {
        const [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map((i) => learned.at(k.mul(0).add(i), h));
        const within = score.max(a!.abs().neg()).min(b!.abs());
        return select(h.equal(0), within.mul(c!), within.div(d!.abs().add(1)).sub(e!)).add(f!);
      });
      return attention(q!, k!, v!, { mods: [mod] });
    }, inputs);
  });

  test('dropout drops a part of the weights, the same ones backward, and scales the rest', async () => {
    const [q, k] = [gaussian([1, 2, 33, 4], 1), gaussian([1, 2, 30, 4], 2)];
    const values = identity(30).tile([1, 2, 1, 1]);
    const dropout = { rate: 0.25, seed: 11 };
    const whole = attention(q, k, values);
    const kept = attention(q, k, values, { dropout });
    const ratio = Array.from(await kept.div(whole).data());
    const dropped = ratio.filter((x) => x === 0).length / ratio.length;
    expect(Math.abs(dropped - 0.25)).toBeLessThan(0.03);
    await expectClose(
      ratio.filter((x) => x !== 0),
      ratio.filter((x) => x !== 0).map(() => 4 / 3),
    );
    // On the GPU they are compared with the reference's in dropout.gpu.test.ts.
    if (backend !== 'webgpu') {
      await checkGradients((q, k, v) => attention(q!, k!, v!, { dropout }), [q, k, values]);
    }
    const other = attention(q, k, values, { dropout: { ...dropout, seed: 12 } });
    expect(await other.data()).not.toEqual(await kept.data());
  });

  test('a sink takes a part of the weights', async () => {
    const [q, k] = [tf.zeros([1, 2, 1, 3]), tf.zeros([1, 2, 2, 3])];
    const sinks = tf.tensor1d([Math.log(2), Math.log(6)]);
    await expectClose(attention(q, k, tf.ones([1, 2, 2, 1]), { sinks }), [0.5, 0.25]);
  });

  test('bad input is named', () => {
    expect(() => scoreTable(tf.zeros([2]).toInt())).toThrow(
      'scoreTable: a tensor of type int32; expected float32',
    );
    expect(() => scoreTable(tf.zeros([1, 1, 1, 1, 1]))).toThrow(
      'scoreTable: a tensor of shape [1, 1, 1, 1, 1]; expected 1 to 4 axes, none of size 0',
    );
    const q = tf.zeros([1, 1, 2, 3]);
    const mod = (of: Parameters<typeof scoreMod>[0]) => () =>
      attention(q, q, q, { mods: [scoreMod(of)] });
    expect(mod((score, _b, h) => score.add(scoreTable(tf.zeros([2, 3])).at(h)))).toThrow(
      'scoreTable: 1 indices for a tensor of shape [2, 3]; expected 2',
    );
    expect(mod((score, _b, h) => score.add(h.add(0.5).toFloat()))).toThrow(
      'an integer expression met 0.5; expected a whole number of 32 bits',
    );
    expect(() => attention(q, q, q, { dropout: { rate: 1, seed: 0 } })).toThrow(
      "attention: dropout's rate is 1; expected 0 ≤ rate < 1",
    );
  });

  test('a table of another number of heads or batch rows is named, not clamped', () => {
    const q = tf.zeros([2, 4, 3, 5]);
    const by = (shape: number[], axis: 'b' | 'h') => {
      const values = scoreTable(tf.zeros(shape));
      return scoreMod((score, b, h) => score.add(values.at(axis === 'h' ? h : b)));
    };
    const given = (mod: ScoreMod) => () => attention(q, q, q, { mods: [mod] });
    expect(given(by([2], 'h'))).toThrow(
      'attention: a table of shape [2] is looked up by h on axis 0; expected a size of 4, the number of heads, or 1',
    );
    expect(given(by([3], 'b'))).toThrow('expected a size of 2, the number of batch rows, or 1');
    const flags = scoreTable(tf.zeros([2, 8], 'bool'), 'int32');
    const mask = visible((b, h) => flags.at(b, h).equal(0));
    expect(() => attention(q, q, q, { mask })).toThrow('a table of shape [2, 8]');
    for (const mod of [by([4], 'h'), by([1], 'h'), by([2], 'b')]) given(mod)().dispose();
  });

  test('what is not a mod is named', () => {
    const q = tf.zeros([1, 1, 2, 3]);
    const given = (mods: unknown) => () => attention(q, q, q, { mods: mods as ScoreMod[] });
    const half = scoreMod((score) => score.div(2));
    const plain = given([half, (score: FloatExpression) => score]);
    expect(plain).toThrow(InputError);
    expect(plain).toThrow(
      'attention: mods[1] is a function; expected what scoreMod(…) makes, such as scoreMod((score) => score.mul(2))',
    );
    expect(given([undefined])).toThrow('attention: mods[0] is undefined; expected');
    expect(given(half)).toThrow('attention: mods is an object; expected a list of score mods');
    expect(() => scoreMod(2 as never)).toThrow(
      'scoreMod: the argument is 2; expected a function of the score',
    );
    const wrong = [() => 2, (_score: unknown, _b: unknown, h: unknown) => h, () => undefined];
    const found = ['2', 'an instance of IntExpression', 'undefined'];
    for (const [i, of] of wrong.entries()) {
      expect(given([scoreMod(of as never)])).toThrow(
        `scoreMod: what the function returns is ${found[i]}; expected a score, such as score.mul(2)`,
      );
    }
  });
});
