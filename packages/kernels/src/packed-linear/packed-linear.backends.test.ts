import { halfBits } from '@headwise/safetensors/internal';
import { describeBackends, expectClose, gaussian, outputAndGradients } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { linear } from '../linear/index.js';
import { packedLinear } from './index.js';
import { packWeight, type WeightFormat, WeightPacker } from './pack.js';
import { unpackWeight } from './unpack.js';

describeBackends('packed weights', () => {
  test('a half keeps what a half can say, rounded to even', async () => {
    const values = [
      0,
      -0,
      1,
      -1.5,
      65_504,
      -65_504,
      2 ** -24,
      2 ** -14,
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      3 * 2 ** -25,
      2 ** -25,
      2 ** -25 + 2 ** -40,
      1e-40,
      0.1,
    ];
    const expected = [
      0,
      0,
      1,
      -1.5,
      65_504,
      -65_504,
      2 ** -24,
      2 ** -14,
      1,
      1 + 2 ** -9,
      2 ** -23,
      0,
      2 ** -24,
      0,
      0.0999755859375,
    ];
    const packed = packWeight(Float32Array.from(values), [values.length, 1], 'f16');
    expect(packed.words.shape).toEqual([8, 4]);
    expect(Array.from(await unpackWeight(packed).data(), (v) => v + 0)).toEqual(expected);
    // IEEE 754's own examples.
    const words = new Int32Array(Float32Array.of(1, -2, 65_504, 2 ** -24).buffer);
    expect([...words].map(halfBits)).toEqual([0x3c00, 0xc000, 0x7bff, 0x0001]);
  });

  test('int8 and int4 by hand, in both layouts', async () => {
    // Columns [254, -120, 0] and [7, 3.4, -7]: units of 2 and of 7/127, or of 254/7 and 1.
    const inOut = Float32Array.of(254, 7, -120, 3.4, 0, -7);
    const outIn = Float32Array.of(254, -120, 0, 7, 3.4, -7);
    const unit = 7 / 127;
    const expected = {
      int8: [254, 7, -120, 62 * unit, 0, -7],
      int4: [254, 7, -3 * (254 / 7), 3, 0, -7],
    };
    for (const format of ['int8', 'int4'] as const) {
      for (const [values, shape, layout] of [
        [inOut, [3, 2], 'in-out'],
        [outIn, [2, 3], 'out-in'],
      ] as const) {
        const packed = packWeight(values, shape, format, layout);
        expect([packed.in, packed.out, packed.words.shape[0]]).toEqual([3, 2, 1]);
        await expectClose(unpackWeight(packed), expected[format], { ratio: 1e-6 });
      }
    }
  });

  test('no value is off by more than half a unit, negative words included', async () => {
    const values = (await gaussian([71, 13], 1).data()) as Float32Array;
    for (const format of ['f16', 'int8', 'int4'] as WeightFormat[]) {
      const packed = packWeight(values, [71, 13], format, 'in-out', 64);
      const unpacked = await unpackWeight(packed).data();
      const scales = packed.scales ? await packed.scales.data() : undefined;
      unpacked.forEach((v, i) => {
        const group = Math.floor(Math.floor(i / 13) / packed.group);
        const unit = scales ? scales[group * 16 + (i % 13)]! : Math.abs(values[i]!) * 2 ** -10;
        expect(Math.abs(v - values[i]!)).toBeLessThanOrEqual(0.5001 * unit);
      });
    }
  });

  test('both layouts pack the same words, whole and piece by piece', async () => {
    for (const [inner, out] of [
      [1, 1],
      [7, 5],
      [67, 37],
      [96, 33],
    ] as const) {
      const inOut = (await gaussian([inner, out], 1).data()) as Float32Array;
      const outIn = new Float32Array(inOut.length);
      inOut.forEach((v, i) => {
        outIn[(i % out) * inner + Math.floor(i / out)] = v;
      });
      for (const format of ['f16', 'int8', 'int4'] as WeightFormat[]) {
        const expected = packWeight(inOut, [inner, out], format);
        for (const [values, shape, layout] of [
          [inOut, [inner, out], 'in-out'],
          [outIn, [out, inner], 'out-in'],
        ] as const) {
          const packer = new WeightPacker(shape, format, layout);
          for (let at = 0; at < values.length; at += packer.step) {
            packer.add(values.subarray(at, at + packer.step));
          }
          const actual = packer.finish();
          expect(await actual.words.data()).toEqual(await expected.words.data());
          expect(await actual.scales?.data()).toEqual(await expected.scales?.data());
        }
      }
    }
  });

  test('packedLinear equals a linear map by the unpacked weight, with the gradients of x and bias', async () => {
    const values = (await gaussian([19, 7], 1).data()) as Float32Array;
    const [x, bias] = [gaussian([1, 2, 19], 2), gaussian([7], 3) as tf.Tensor1D];
    for (const format of ['f16', 'int8', 'int4'] as WeightFormat[]) {
      const packed = packWeight(values, [19, 7], format);
      const unpacked = unpackWeight(packed);
      const actual = outputAndGradients(
        (x, b) => packedLinear(x!, packed, b as tf.Tensor1D, 'gelu'),
        [x, bias],
      );
      const expected = outputAndGradients(
        (x, b) => linear(x!, unpacked, b as tf.Tensor1D, 'in-out', 'gelu'),
        [x, bias],
      );
      await expectClose(actual.output, expected.output);
      for (const [i, g] of actual.gradients.entries()) {
        await expectClose(g, expected.gradients[i]!, { ratio: 2e-5 });
      }
    }
  });

  test('what does not fit is named', () => {
    expect(() => packWeight(new Float32Array(6), [2, 3], 'F16' as never)).toThrow(
      "packWeight: format is 'F16'; expected one of f16, int8, int4",
    );
    expect(() => packWeight(new Float32Array(5), [2, 3], 'int8')).toThrow(
      'packWeight: 5 values for the shape [2, 3]; expected 6, at least 1',
    );
    expect(() => packWeight(Float32Array.of(1, Number.NaN), [2, 1], 'int8')).toThrow(
      'packWeight: value 1 is NaN; expected finite values',
    );
    expect(() => packWeight(Float32Array.of(70_000), [1, 1], 'f16')).toThrow(
      'packWeight: value 0 is 70000; expected finite values of at most 65504',
    );
    const packer = new WeightPacker([3, 2], 'f16', 'out-in');
    expect(() => packer.add(new Float32Array(3))).toThrow(
      'packWeight: 3 values of the 6 left; expected a multiple of 2, or all',
    );
    packer.add(new Float32Array(4));
    expect(() => packer.add(Float32Array.of(0, -1e6))).toThrow('packWeight: value 5 is -1000000');
    expect(() => packer.finish()).toThrow('packWeight: 2 values are missing');
    const packed = packWeight(new Float32Array(6), [2, 3], 'int4');
    expect(() => packedLinear(tf.zeros([4, 3]), packed)).toThrow(
      'packedLinear: x has shape [4, 3]; expected [4, 2]',
    );
  });
});
