import {
  describeBackends,
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { linear } from '../linear/index.js';
import { feedForward } from './index.js';

describeBackends('feedForward', () => {
  for (const [rows, dim, hidden, layout, activation] of [
    [1, 3, 5, 'in-out', 'gelu'],
    [63, 7, 33, 'out-in', 'gelu_new'],
    [65, 33, 64, 'in-out', 'silu'],
    [5, 513, 3, 'out-in', 'relu'],
  ] as const) {
    test(`${rows} rows of ${dim} through ${hidden}, ${layout}, ${activation}: the values and gradients of two maps, the same bits twice`, async () => {
      const turned = (shape: number[]) => (layout === 'in-out' ? shape : shape.toReversed());
      const inputs = [
        gaussian([1, rows, dim], 1),
        gaussian(turned([dim, hidden]), 2).div(Math.sqrt(dim)),
        gaussian([hidden], 3),
        gaussian(turned([hidden, dim]), 4).div(Math.sqrt(hidden)),
        gaussian([dim], 5),
        gaussian([1, rows, dim], 6),
      ];
      const two = (...[x, w, b, v, c, added]: tf.Tensor[]) => {
        const h = linear(x!, w as tf.Tensor2D, b as tf.Tensor1D, layout, activation);
        return linear(h, v as tf.Tensor2D, c as tf.Tensor1D, layout).add(added!);
      };
      const one = (...[x, w, b, v, c, added]: tf.Tensor[]) => {
        const up = { weight: w as tf.Tensor2D, bias: b as tf.Tensor1D };
        const down = { weight: v as tf.Tensor2D, bias: c as tf.Tensor1D };
        return feedForward(x!, up, down, layout, activation, added);
      };
      const expected = outputAndGradients(two, inputs);
      await poisonMemory([
        [rows, dim],
        [1, rows, dim],
        [rows, hidden],
        [dim, hidden],
        [hidden, dim],
        [dim],
        [hidden],
      ]);
      const [actual, again] = [outputAndGradients(one, inputs), outputAndGradients(one, inputs)];
      await expectClose(actual.output, expected.output, { ratio: 1e-6 });
      for (const [i, gradient] of actual.gradients.entries()) {
        await expectClose(gradient, expected.gradients[i]!, { ratio: 2e-6 });
        expect(await gradient.data()).toEqual(await again.gradients[i]!.data());
      }
      await expectNoLeak(() => {
        const { output, gradients } = outputAndGradients(one, inputs);
        tf.dispose([output, ...gradients]);
      });
    });
  }
});
