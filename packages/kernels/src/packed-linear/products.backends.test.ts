import {
  describeKernels,
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
  productOnCpu,
} from '@headwise/testing';
import type * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { packedLinear } from './index.js';
import { LevelsPacker } from './levels.js';
import { packWeight, type WeightFormat } from './pack.js';
import { unpackWeight } from './unpack.js';

/** Rows, width in and out: all paths, words and groups that end early. */
const sizes = [
  [1, 1, 1],
  [1, 513, 127],
  [65, 127, 63],
  // Unpacked before the product, where it reads step by step.
  [65, 127, 68],
  // More than a block of steps, a chunk of rows and one of columns on wasm.
  [67, 519, 131],
] as const;
/** Few rows but more than one, for one format: their code differs by rows, not by formats. */
const fewRowSizes = [
  [3, 63, 65],
  [8, 64, 33],
] as const;

/** `x W + b` in float64. */
async function exactProduct(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): Promise<number[]> {
  const [rows, inner] = x.shape as [number, number];
  const out = weight.shape[1]!;
  const [a, w, b] = await Promise.all([x.data(), weight.data(), bias.data()]);
  return Array.from({ length: rows * out }, (_, i) => {
    let sum = b[i % out]!;
    for (let k = 0; k < inner; k++)
      sum += a[Math.floor(i / out) * inner + k]! * w[k * out + (i % out)]!;
    return sum;
  });
}

describeKernels('products', () => {
  for (const format of ['f16', 'int8', 'int4'] as WeightFormat[]) {
    describe(`packedLinear of ${format} equals the product of the unpacked weight`, () => {
      for (const [rows, inner, out] of format === 'int8' ? [...sizes, ...fewRowSizes] : sizes) {
        test(`rows ${rows}, widths ${inner} and ${out}`, async () => {
          const values = (await gaussian([inner, out], 1).data()) as Float32Array;
          const packed = packWeight(values, [inner, out], format, 'in-out', 64);
          const x = gaussian([rows, inner], 2);
          const bias = gaussian([out], 3) as tf.Tensor1D;
          const expected = await exactProduct(x, unpackWeight(packed), bias);
          await poisonMemory([[rows, out]]);
          const [first, second] = [0, 1].map(() => packedLinear(x, packed, bias));
          await expectClose(first!, expected, { ratio: 2e-6 });
          expect(await first!.data()).toEqual(await second!.data());
          await expectNoLeak(() => packedLinear(x, packed, bias).dispose());
        });
      }
    });
  }

  for (const [format, group] of [
    ['bf16', 32],
    ['int8-groups', 16],
    ['uint4', 32],
    ['uint8', 32],
  ] as const) {
    test(`packedLinear of ${format} equals the product of the unpacked weight`, async () => {
      for (const [rows, inner, out] of [
        [1, 160, 127],
        [3, 96, 65],
        [65, 160, 63],
      ] as const) {
        const form = { shape: [out, inner], layout: 'out-in', format, group } as const;
        const packer = new LevelsPacker(form);
        for (let column = 0; column < out; column++) {
          // Bits of small numbers, in bf16.
          const levels = Array.from({ length: inner }, (_, k) => (k * 29 + column * 31) % 127);
          const scales = Array.from({ length: inner / group }, (_, g) => ((g + column) % 5) / 16);
          const given = format === 'bf16' ? Uint16Array.from(levels, (v) => 0x3f00 + v) : undefined;
          const minima = Float32Array.from(scales, (scale) => 8 * scale);
          packer.set(column, given ?? Int8Array.from(levels), Float32Array.from(scales), minima);
        }
        const packed = packer.finish();
        const x = gaussian([rows, inner], 2);
        const bias = gaussian([out], 3) as tf.Tensor1D;
        const expected = await exactProduct(x, unpackWeight(packed), bias);
        await poisonMemory([[rows, out]]);
        await expectClose(packedLinear(x, packed, bias), expected, { ratio: 2e-6 });
      }
    });
  }

  test('x has the gradient of the unpacked weight, over blocks of outputs, the same bits twice', async () => {
    const [rows, inner, out] = [5, 70, 519];
    const values = (await gaussian([inner, out], 1).data()) as Float32Array;
    const x = gaussian([rows, inner], 2);
    for (const format of ['f16', 'int8', 'int4'] as WeightFormat[]) {
      const packed = packWeight(values, [inner, out], format);
      const dy = gaussian([rows, out], 12345) as tf.Tensor2D;
      const transposed = unpackWeight(packed).transpose<tf.Tensor2D>();
      const expected = await productOnCpu(dy, transposed);
      await poisonMemory([[rows, inner]]);
      const run = () => outputAndGradients((x) => packedLinear(x!, packed), [x]).gradients[0]!;
      const [first, second] = [run(), run()];
      await expectClose(first, expected, { ratio: 2e-6 });
      expect(await first.data()).toEqual(await second.data());
    }
  });
});
