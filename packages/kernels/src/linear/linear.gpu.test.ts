import type { MatrixLayout } from '@headwise/core/internal';
import {
  cases,
  expectClose,
  expectNoLeak,
  gaussian,
  inBrowser,
  outputAndGradients,
  outputAndGradientsOnCpu,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { LinearActivation } from './activation.js';
import { linear } from './index.js';
import { type OtherActivation, otherActivations } from './other-activations.js';
import { linearReference } from './reference.js';

const ours =
  (layout: MatrixLayout, activation: LinearActivation) =>
  (x?: tf.Tensor, w?: tf.Tensor, b?: tf.Tensor) =>
    linear(x!, w as tf.Tensor2D, b as tf.Tensor1D | undefined, layout, activation);

const plain =
  (layout: MatrixLayout, activation: LinearActivation) =>
  (x?: tf.Tensor, w?: tf.Tensor, b?: tf.Tensor) =>
    linearReference(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D, layout, activation);

function operands([rows, inner, out]: readonly number[], layout: MatrixLayout): tf.Tensor[] {
  const shape = layout === 'in-out' ? [inner!, out!] : [out!, inner!];
  return [
    gaussian([rows!, inner!], 1),
    gaussian(shape, 2).div(Math.sqrt(inner!)),
    gaussian([out!], 3),
  ];
}

async function expectEqual(
  size: readonly number[],
  layout: MatrixLayout,
  activation: LinearActivation,
) {
  const inputs = operands(size, layout);
  const [rows, inner, out] = size as [number, number, number];
  const expected = await outputAndGradientsOnCpu(plain(layout, activation), inputs);
  await poisonMemory([[rows, out], [rows, inner], [inner, out], [out]]);
  const actual = outputAndGradients(ours(layout, activation), inputs);
  await expectClose(actual.output, expected.output);
  for (const [i, gradient] of actual.gradients.entries()) {
    await expectClose(gradient, expected.gradients[i]!, { ratio: 2e-5 });
  }
}

const sizes = [1, 3, 63, 64, 65, 127, 513];

describe('linear on WebGPU equals the reference', () => {
  for (const [i, size] of sizes.entries()) {
    test(`rows, widths in and out of ${size}`, async () => {
      const layout = i % 2 ? 'in-out' : 'out-in';
      await expectEqual([size, 5, 33], layout, 'none');
      await expectEqual([7, size, 33], layout, 'none');
      await expectEqual([9, 34, size], layout, 'none');
    });
  }
  for (const activation of ['relu', 'gelu', 'gelu_new', 'silu'] as const) {
    for (const layout of ['in-out', 'out-in'] as const) {
      test(`${activation} and a weight ${layout}`, async () => {
        await expectEqual([65, 19, 37], layout, activation);
        if (activation === 'gelu') await expectEqual([2, 19, 37], layout, activation);
      });
    }
  }
});

const others = Object.keys(otherActivations) as OtherActivation[];
for (const activation of cases(others, (name) => !inBrowser || name === 'mish')) {
  test(`${activation} on WebGPU equals the reference`, () =>
    expectEqual([65, 19, 37], 'out-in', activation));
}

test('linear without a bias equals the reference', async () => {
  const [x, weight] = operands([11, 13, 17], 'in-out');
  const expected = await outputAndGradientsOnCpu(plain('in-out', 'silu'), [x!, weight!]);
  const actual = outputAndGradients(ours('in-out', 'silu'), [x!, weight!]);
  await expectClose(actual.output, expected.output);
  for (const [i, g] of actual.gradients.entries()) await expectClose(g, expected.gradients[i]!);
});

test('the activations keep finite and exact at large magnitudes', async () => {
  const values = [-1e30, -1e4, -90, -20, 0, 20, 90, 1e4, 1e30];
  const x = tf.tensor2d(values, [values.length, 1]);
  const weight = tf.ones<tf.Rank.R2>([1, 1]);
  for (const activation of ['relu', 'gelu', 'gelu_new', 'silu'] as const) {
    const { output, gradients } = outputAndGradients(
      (x) => linear(x!, weight, undefined, 'in-out', activation).mul(1),
      [x],
    );
    await expectClose(
      output,
      values.map((v) => Math.max(0, v)),
      { ratio: 1e-6, floor: 1e-7 },
    );
    for (const slope of await gradients[0]!.data()) expect(Number.isFinite(slope)).toBe(true);
  }
});

test('linear is as near to float64 as the plain path', async () => {
  const size = [9, 513, 33] as const;
  for (const activation of ['none', 'gelu', 'gelu_new', 'silu'] as const) {
    const inputs = operands(size, 'in-out');
    const [x, w, b] = (await Promise.all(inputs.map((t) => t.data()))) as Float32Array[];
    const exact = exactLinear(size, x!, w!, b!, activation);
    const error = async (y: tf.Tensor) =>
      Math.hypot(...Array.from(await y.data(), (v, i) => v - exact[i]!));
    const [actual, expected] = [ours, plain].map((f) => f('in-out', activation)(...inputs));
    expect(await error(actual!)).toBeLessThanOrEqual(2 * (await error(expected!)));
  }
});

test('the gradients are as near to float64 as the plain path', async () => {
  const [rows, inner, out] = [513, 33, 31] as const;
  const inputs = operands([rows, inner, out], 'in-out');
  const actual = outputAndGradients(ours('in-out', 'none'), inputs).gradients;
  const cotangent = gaussian([rows, out], 12345) as tf.Tensor2D;
  const plainWeight = tf.matMul(inputs[0] as tf.Tensor2D, cotangent, true);
  const plainBias = cotangent.sum(0);
  const dy = await cotangent.data();
  const x = await inputs[0]!.data();
  const exactBias = Array.from({ length: out }, (_, o) => sum(rows, (r) => dy[r * out + o]!));
  const exactWeight = Array.from({ length: inner * out }, (_, i) =>
    sum(rows, (r) => x[r * inner + Math.floor(i / out)]! * dy[r * out + (i % out)]!),
  );
  for (const [gradient, plain, exact] of [
    [actual[1]!, plainWeight, exactWeight],
    [actual[2]!, plainBias, exactBias],
  ] as const) {
    const error = async (g: tf.Tensor) =>
      Math.hypot(...Array.from(await g.data(), (v, j) => v - exact[j]!));
    expect(await error(gradient)).toBeLessThanOrEqual(2 * (await error(plain)));
  }
});

test('linear gives the same bits twice and leaves no tensor behind', async () => {
  const inputs = operands([200, 33, 65], 'in-out');
  const run = () => outputAndGradients(ours('in-out', 'gelu'), inputs);
  const [first, second] = [run(), run()];
  for (const [i, gradient] of first.gradients.entries()) {
    expect(await gradient.data()).toEqual(await second.gradients[i]!.data());
  }
  await expectNoLeak(() => {
    const { output, gradients } = run();
    tf.dispose([output, ...gradients]);
    tf.dispose(ours('in-out', 'gelu')(...inputs));
  });
});

const sum = (count: number, term: (i: number) => number): number => {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
};

/** Activations in float64; the normal distribution as an integral of its density. */
const exactActivations: Record<string, (z: number) => number> = {
  none: (z) => z,
  gelu: (z) => {
    const [steps, from] = [2000, -12];
    const h = (z - from) / steps;
    const density = (v: number) => Math.exp(-0.5 * v * v) / Math.sqrt(2 * Math.PI);
    // Simpson's rule.
    const phi = sum(
      steps + 1,
      (i) => (i === 0 || i === steps ? 1 : i % 2 ? 4 : 2) * density(from + i * h),
    );
    return z * phi * (h / 3);
  },
  gelu_new: (z) => 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3))),
  silu: (z) => z / (1 + Math.exp(-z)),
};

function exactLinear(
  [rows, inner, out]: readonly [number, number, number],
  x: Float32Array,
  w: Float32Array,
  b: Float32Array,
  activation: string,
): number[] {
  return Array.from({ length: rows * out }, (_, i) => {
    const [r, o] = [Math.floor(i / out), i % out];
    return exactActivations[activation]!(
      b[o]! + sum(inner, (k) => x[r * inner + k]! * w[k * out + o]!),
    );
  });
}
