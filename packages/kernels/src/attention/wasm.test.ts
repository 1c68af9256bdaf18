import {
  cases,
  describeOn,
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { scoreTable } from './expression/table.js';
import { expectSameBits, layouts, shapes } from './heads.cases.js';
import { attention } from './index.js';
import { and, type Mask, none, visible } from './masks/mask.js';
import { causal, slidingWindow } from './masks/order.js';
import { documents, padding } from './masks/tokens.js';
import { type ScoreMod, scoreMod } from './mods.js';
import { attentionReference } from './reference.js';

describeOn('wasm', 'attention on wasm', () => {
  const chosen = shapes.flatMap((shape) => Object.keys(layouts).map((name) => ({ shape, name })));
  // Every layout in one shape, and one layout in a width that is not a multiple of four.
  const few = cases(
    chosen,
    ({ shape, name }) => !!shape.few || (shape.width === 7 && name === 'in one tensor'),
  );
  for (const { shape, name } of few) {
    const { heads, queries, keys, width } = shape;
    if (layouts[name]!.level && queries !== keys) continue;
    test(`the same bits wherever heads lie: ${name}: ${queries} × ${keys}, heads ${heads.join('/')} of ${width}`, async () => {
      await expectSameBits(shape, layouts[name]!, true);
    });
  }

  const tanh = scoreMod((score) => score.div(5).tanh().mul(5));
  const masks: [Mask, ScoreMod[], number?][] = [
    [none, []],
    [causal, [], 0.25],
    [causal, [tanh]],
    [and(causal, slidingWindow(9)), []],
    [and(causal, slidingWindow(40)), [tanh], 0.25],
    [slidingWindow(40), []],
    [visible((_b, _h, q, k) => k.less(q.sub(35)).and(q.mod(2).equal(0))), []],
    [and(causal, documents(tf.range(0, 150).div(40).floor().toInt().reshape([1, 150]))), []],
  ];
  for (const [mask, mods, rate] of masks) {
    test(`150 queries and keys, more than a block of both: ${mask.name}, ${mods.length} mods, dropout ${rate}`, async () => {
      const inputs = [1, 2, 3].map((seed) => gaussian([1, 2, 150, 20], seed));
      const dropout = rate ? { rate, seed: 7 } : undefined;
      const options = { mask, mods, dropout };
      const expected = outputAndGradients(
        (q, k, v) => attentionReference(q!, k!, v!, { ...options, scale: 1 / Math.sqrt(20) }),
        inputs,
      );
      await poisonMemory([
        [1, 2, 150, 20],
        [1, 2, 150, 2],
        [1, 2, 150, 4],
      ]);
      const run = () => outputAndGradients((q, k, v) => attention(q!, k!, v!, options), inputs);
      const [actual, again] = [run(), run()];
      await expectClose(actual.output, expected.output, { ratio: 1e-5 });
      expect(await again.output.data()).toEqual(await actual.output.data());
      for (const [i, gradient] of actual.gradients.entries()) {
        await expectClose(gradient, expected.gradients[i]!, { ratio: 1e-5, floor: 1e-6 });
        expect(await again.gradients[i]!.data()).toEqual(await gradient.data());
      }
      await expectNoLeak(() => {
        const { output, gradients } = run();
        tf.dispose([output, gradients]);
      });
    });
  }

  test('keys outside the window of every query are not read', async () => {
    const [q, k, v] = [32, 150, 150].map((tokens, i) => gaussian([1, 2, tokens, 20], i + 1));
    const mask = and(causal, slidingWindow(40));
    // The first query stands at place 118, and sees the keys from 79 on.
    const unread = tf.concat([tf.fill([64], Number.NaN), tf.zeros([86])]).reshape([1, 1, 150, 1]);
    const run = (k: tf.Tensor, v: tf.Tensor) =>
      outputAndGradients((q, k, v) => attention(q!, k!, v!, { mask }), [q!, k, v]);
    const [expected, actual] = [run(k!, v!), run(k!.add(unread), v!.add(unread))];
    expect(await actual.output.data()).toEqual(await expected.output.data());
    for (const [i, gradient] of actual.gradients.entries()) {
      expect(await gradient.data()).toEqual(await expected.gradients[i]!.data());
    }
  });

  test('a query without a key gives zeros and takes none, sequences without tokens too', async () => {
    // Causal with more queries than keys hides all keys from the first ones; one sequence is empty.
    const inputs = [
      gaussian([2, 2, 37, 64], 1),
      gaussian([2, 2, 5, 64], 2),
      gaussian([2, 2, 5, 64], 3),
    ];
    const lengths = tf.tensor1d([5, 0], 'int32');
    for (const mask of [causal, and(causal, padding(lengths))]) {
      await poisonMemory(inputs.map(({ shape }) => shape));
      const actual = outputAndGradients((q, k, v) => attention(q!, k!, v!, { mask }), inputs);
      const expected = outputAndGradients(
        (q, k, v) => attentionReference(q!, k!, v!, { mask, scale: 0.125 }),
        inputs,
      );
      await expectClose(actual.output, expected.output);
      for (const [i, gradient] of actual.gradients.entries()) {
        await expectClose(gradient, expected.gradients[i]!, { floor: 1e-6 });
      }
    }
  });

  test('NaN in one sequence stays there', async () => {
    const clean = [1, 2, 3].map((seed) => gaussian([1, 2, 37, 64], seed));
    const inputs = clean.map((x) => tf.concat([x, tf.fill(x.shape, Number.NaN)]));
    const run = (q?: tf.Tensor, k?: tf.Tensor, v?: tf.Tensor) =>
      attention(q!, k!, v!, { mask: causal });
    const cotangent = gaussian([2, 2, 37, 64], 4);
    const expected = [run(...clean), ...tf.grads(run)(clean, cotangent.slice([0], [1]))];
    const actual = [run(...inputs), ...tf.grads(run)(inputs, cotangent)];
    for (const [i, value] of actual.entries()) {
      await expectClose(value.slice([0], [1]), expected[i]!);
      expect(Number.isNaN((await value.slice([1], [1]).data())[0])).toBe(true);
    }
  });

  test('a table that is looked up twice gets both gradients', async () => {
    const inputs = [
      ...[1, 2, 3].map((seed) => gaussian([1, 2, 65, 8], seed)),
      gaussian([2, 129], 4),
    ];
    const twice = (table: tf.Tensor) => [
      scoreMod((score, _b, h, q, k) => {
        const at = (x: typeof q) => scoreTable(table).at(h, x);
        return score.add(at(q.sub(k).add(64)).mul(0.5)).add(at(q));
      }),
    ];
    const expected = outputAndGradients(
      (q, k, v, table) =>
        attentionReference(q!, k!, v!, {
          mask: none,
          mods: twice(table!),
          scale: 1 / Math.sqrt(8),
        }),
      inputs,
    );
    const actual = outputAndGradients(
      (q, k, v, table) => attention(q!, k!, v!, { mods: twice(table!) }),
      inputs,
    );
    for (const [i, gradient] of actual.gradients.entries()) {
      await expectClose(gradient, expected.gradients[i]!, { ratio: 1e-5, floor: 1e-6 });
    }
  });
});
