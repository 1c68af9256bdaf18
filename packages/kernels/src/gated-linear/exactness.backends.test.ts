import type { MatrixLayout } from '@headwise/core/internal';
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
import type { LinearActivation } from '../linear/activation.js';
import { gatedLinear } from './index.js';
import { gatedLinearReference } from './reference.js';

type Gated = typeof gatedLinear | typeof gatedLinearReference;

/** The map as a function of its tensors; without the last two there is no bias. */
const over =
  (f: Gated, layout: MatrixLayout, activation: LinearActivation) =>
  (...tensors: tf.Tensor[]) => {
    const [x, gate, up, gateBias, upBias] = tensors as tf.Tensor2D[];
    return f(
      x!,
      { weight: gate!, bias: gateBias as unknown as tf.Tensor1D },
      { weight: up!, bias: upBias as unknown as tf.Tensor1D },
      layout,
      activation,
    );
  };

function operands([rows, inner, out]: readonly number[], layout: MatrixLayout): tf.Tensor[] {
  const shape = layout === 'in-out' ? [inner!, out!] : [out!, inner!];
  return [
    gaussian([rows!, inner!], 1),
    gaussian(shape, 2).div(Math.sqrt(inner!)),
    gaussian(shape, 3).div(Math.sqrt(inner!)),
    gaussian([out!], 4),
    gaussian([out!], 5),
  ];
}

async function expectEqual(
  size: readonly number[],
  layout: MatrixLayout,
  activation: LinearActivation,
  bias = true,
) {
  const [rows, inner, out] = size as [number, number, number];
  const inputs = operands(size, layout).slice(0, bias ? 5 : 3);
  const expected = await outputAndGradientsOnCpu(
    over(gatedLinearReference, layout, activation),
    inputs,
  );
  await poisonMemory([[rows, out], [rows, inner], [inner, out], [out]]);
  const actual = outputAndGradients(over(gatedLinear, layout, activation), inputs);
  await expectClose(actual.output, expected.output);
  for (const [i, gradient] of actual.gradients.entries()) {
    await expectClose(gradient, expected.gradients[i]!, { ratio: 2e-5 });
  }
}

describeKernels('gatedLinear as a kernel', () => {
  describe('gatedLinear equals the reference', () => {
    for (const size of [1, 3, 63, 64, 65, 127, 513]) {
      test(`rows, widths in and out of ${size}`, async () => {
        await expectEqual([size, 5, 17], 'in-out', 'silu');
        await expectEqual([7, size, 17], 'in-out', 'silu');
        await expectEqual([9, 18, size], 'out-in', 'silu');
      });
    }
    test('rows enough for copies that lie step by step, in both layouts', async () => {
      for (const size of [
        [67, 33, 66],
        [64, 20, 36],
      ]) {
        await expectEqual(size, 'in-out', 'silu');
        await expectEqual(size, 'out-in', 'silu');
      }
    });
    for (const activation of ['relu', 'gelu_new'] as const) {
      test(`${activation} in both layouts`, async () => {
        await expectEqual([33, 19, 37], 'in-out', activation);
        await expectEqual([33, 19, 37], 'out-in', activation);
      });
    }
  });

  test('gatedLinear without biases equals the reference', async () => {
    await expectEqual([33, 19, 37], 'in-out', 'silu', false);
    await expectEqual([2, 19, 37], 'out-in', 'silu', false);
  });

  test('gatedLinear by hand, of any rank', async () => {
    const x = tf.tensor3d([1, 2, 3, -1], [2, 1, 2]);
    const gate = { weight: tf.tensor2d([1, 0, 1, -1], [2, 2]) };
    const up = { weight: tf.tensor2d([2, 1, 0, 1], [2, 2]) };
    const h = gatedLinear(x, gate, up, 'in-out', 'relu');
    expect(h.shape).toEqual([2, 1, 2]);
    // The gates are relu(3, -2) and relu(2, 1), the values (2, 3) and (6, 2).
    expect([...(await h.data())]).toEqual([6, 0, 12, 2]);
  });

  test('gatedLinear gives the same bits twice and leaves no tensor behind', async () => {
    const inputs = operands([70, 33, 65], 'in-out');
    const run = () => outputAndGradients(over(gatedLinear, 'in-out', 'silu'), inputs);
    const [first, second] = [run(), run()];
    for (const [i, gradient] of first.gradients.entries()) {
      expect(await gradient.data()).toEqual(await second.gradients[i]!.data());
    }
    await expectNoLeak(() => {
      const { output, gradients } = run();
      tf.dispose([output, ...gradients]);
      tf.dispose(over(gatedLinear, 'in-out', 'silu')(...inputs));
    });
  });
});
