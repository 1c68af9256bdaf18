import type { Precision } from '@headwise/core';
import { type MatrixLayout, valueAndGradients } from '@headwise/core/internal';
import {
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { describe, expect, test } from 'vitest';
import { gatedLinear } from '../gated-linear/index.js';
import golden from '../goldens/mixed-precision.json' with { type: 'json' };
import { planned } from '../start/planned.js';
import type { LinearActivation } from './activation.js';
import { linear } from './index.js';

type Table = { shape: number[]; data: number[] };
const tensorOf = ({ shape, data }: Table) => tf.tensor(data, shape);

/**
 * Where nothing is rounded between the operands that are given and the result, float32 gives 1e-6. Else one value in a thousand
 * is so near the middle of two halves that float32 and float64 round it to different ones, which are 2⁻¹¹ apart.
 */
const toleranceOf = (activation: string) =>
  activation === 'none' || activation === 'relu' ? { ratio: 1e-6 } : { ratio: 1e-4 };

async function expectGolden(
  given: { inputs: object; dy: Table; y: Table; gradients: object },
  activation: string,
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
): Promise<void> {
  const inputs = Object.values(given.inputs as Record<string, Table>).map(tensorOf);
  const y = f(...inputs);
  await expectClose(y, given.y.data, { ratio: 1e-6 });
  const gradients = tf.grads((...all: tf.Tensor[]) => f(...all))(inputs, tensorOf(given.dy));
  for (const [i, expected] of Object.values(given.gradients as Record<string, Table>).entries()) {
    expect(gradients[i]!.shape).toEqual(expected.shape);
    await expectClose(gradients[i]!, expected.data, toleranceOf(activation));
  }
}

describe('mixed precision is that of PyTorch with rounded operands', () => {
  for (const given of golden.linear) {
    const activation = given.activation as LinearActivation;
    test(`linear, ${activation}: output and every gradient`, async () => {
      await expectGolden(given, activation, (x, w, b) =>
        linear(x!, w as tf.Tensor2D, b as tf.Tensor1D, 'in-out', activation, 'mixed'),
      );
      await expectGolden(given, activation, (x, w, b) =>
        linear(x!, w!.transpose(), b as tf.Tensor1D, 'out-in', activation, 'mixed'),
      );
    });
  }
  for (const given of golden.gated) {
    const activation = given.activation as LinearActivation;
    test(`gated linear, ${activation}: output and every gradient`, async () => {
      for (const layout of ['in-out', 'out-in'] as const) {
        const weight = (w?: tf.Tensor) => ({
          weight: (layout === 'in-out' ? w! : w!.transpose()) as tf.Tensor2D,
        });
        await expectGolden(given, activation, (x, gate, up) =>
          gatedLinear(x!, weight(gate), weight(up), layout, activation, 'mixed'),
        );
      }
    });
  }
});

/** Multiples of 1/8 of at most 255, which halves hold, as they hold all sums of few products. */
const eighths = (shape: number[], seed: number) =>
  tf.tidy(() => gaussian(shape, seed).mul(8).round().clipByValue(-255, 255).div(8));

const mixed =
  (layout: MatrixLayout, activation: LinearActivation = 'none') =>
  (x?: tf.Tensor, w?: tf.Tensor, b?: tf.Tensor) =>
    linear(x!, w as tf.Tensor2D, b as tf.Tensor1D | undefined, layout, activation, 'mixed');

describe('mixed precision of operands that are halves is float32', () => {
  for (const [i, [rows, inner, out]] of [
    [1, 1, 1],
    [3, 5, 33],
    [2, 36, 40],
    [8, 31, 70],
    [9, 64, 65],
    [65, 33, 64],
    [67, 34, 66],
    [127, 12, 3],
    [513, 7, 5],
  ].entries()) {
    test(`${rows} rows, widths ${inner} and ${out}`, async () => {
      const layout = i % 2 ? 'in-out' : 'out-in';
      const inputs = [
        eighths([rows!, inner!], 1),
        eighths(layout === 'in-out' ? [inner!, out!] : [out!, inner!], 2),
        eighths([out!], 3),
      ];
      const dy = eighths([rows!, out!], 4);
      const gradientsOf = (f: ReturnType<typeof mixed>) =>
        tf.grads((x, w, b) => f(x, w, b))(inputs, dy);
      const plain = (x?: tf.Tensor, w?: tf.Tensor, b?: tf.Tensor) =>
        linear(x!, w as tf.Tensor2D, b as tf.Tensor1D, layout);
      const expected = [plain(...inputs), ...gradientsOf(plain)];
      await poisonMemory([[rows!, out!], [rows!, inner!], [inner!, out!], [out!]]);
      const actual = [mixed(layout)(...inputs), ...gradientsOf(mixed(layout))];
      // The sums are the same to the bit.
      for (const [j, tensor] of actual.entries()) {
        expect(await tensor.data()).toEqual(await expected[j]!.data());
      }
    });
  }
});

test('values before an activation that no half holds have finite slopes', async () => {
  const x = tf.tensor2d([-60_000, -400, 400, 60_000], [4, 1]);
  const weight = tf.fill<tf.Rank.R2>([1, 1], 500);
  for (const activation of ['relu', 'gelu_new', 'silu', 'relu2'] as const) {
    const f = (x: tf.Tensor) => mixed('in-out', activation)(x, weight);
    for (const tensor of [f(x), tf.grad(f)(x, tf.fill([4, 1], 1e-3))]) {
      for (const value of await tensor.data()) expect(Number.isFinite(value)).toBe(true);
    }
  }
});

test('what is kept for the backward pass takes half as much, and once where maps share their input', async () => {
  const [rows, inner, out] = [256, 64, 128];
  const kept = (precision: Precision) =>
    planned((count) => {
      const weights = [1, 2, 3].map(() => tf.variable(tf.zeros<tf.Rank.R2>([inner, out])));
      const x = tf.zeros([rows, inner]).mul(2);
      let bytes = 0;
      const { value, gradients } = valueAndGradients(() => {
        const before = count.live;
        const ys = weights.map((w) => linear(x, w, undefined, 'in-out', 'silu', precision));
        // The maps alone hold it now.
        x.dispose();
        const y = tf.addN(ys).sum() as tf.Scalar;
        tf.dispose(ys);
        bytes = count.live - before;
        return y;
      }, weights);
      expect(gradients.map((gradient) => gradient?.shape)).toEqual(weights.map((w) => w.shape));
      tf.dispose([value, gradients as tf.Tensor[], weights]);
      return bytes;
    });
  // Beside the same uniforms.
  const [float32, mixed] = [await kept('float32'), await kept('mixed')];
  // The halves of the weights are kept too, so that they are made once.
  const saved = 2 * rows * (inner + 3 * out) - 3 * 2 * inner * out;
  expect(float32 - mixed).toBeGreaterThan(saved - 1000);
  expect(float32 - mixed).toBeLessThan(saved + 1000);
});

test('a device without halves is refused by name', () => {
  const backend = tf.backend() as WebGPUBackend;
  const { device } = backend;
  const without = Object.create(device, { features: { value: new Set(['subgroups']) } });
  backend.device = without as GPUDevice;
  try {
    expect(() => mixed('in-out')(tf.zeros([2, 3]), tf.zeros([3, 2]))).toThrow(
      "linear: precision is 'mixed', and the device has no 'shader-f16'; expected 'float32', or WebGPU on",
    );
  } finally {
    backend.device = device;
  }
});

test('mixed precision gives the same bits twice and leaves no tensor behind', async () => {
  const inputs = [gaussian([70, 33], 1), gaussian([33, 65], 2), gaussian([65], 3)];
  const run = () => outputAndGradients(mixed('in-out', 'gelu'), inputs);
  const [first, second] = [run(), run()];
  for (const [i, gradient] of first.gradients.entries()) {
    expect(await gradient.data()).toEqual(await second.gradients[i]!.data());
  }
  await expectNoLeak(() => {
    const { output, gradients } = run();
    tf.dispose([output, ...gradients]);
    tf.dispose(mixed('in-out', 'gelu')(...inputs));
  });
});
