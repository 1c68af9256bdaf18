import { describeBackends, expectClose, gaussian, outputAndGradients } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { gatherRows } from '../embedding/index.js';
import { linear } from '../linear/index.js';
import { packedLinear } from './index.js';
import { LevelsPacker } from './levels.js';
import { formatParts, type PackedFormat } from './pack.js';
import { unpackWeight } from './unpack.js';

/** A weight of pseudo-random levels and scales, and its values in float64, `[In, Out]`. */
function weightOf(format: PackedFormat, inner: number, out: number, group: number) {
  const { bits, scales, minima } = formatParts[format];
  let state = 7;
  const next = (count: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % count;
  };
  const packer = new LevelsPacker({ shape: [out, inner], layout: 'out-in', format, group });
  const values = new Float64Array(inner * out);
  const floats = new Float32Array(inner);
  const groups = scales === 'group' ? Math.ceil(inner / group) : 1;
  for (let column = 0; column < out; column++) {
    const half = 2 ** (bits - 1);
    const levels = Int8Array.from({ length: inner }, () => next(2 * half) - (minima ? 0 : half));
    const own = Float32Array.from({ length: groups }, () => (next(200) - 100) / 128);
    const least = Float32Array.from({ length: groups }, () => next(100) / 64);
    for (let k = 0; k < inner; k++) {
      const g = scales === 'group' ? Math.floor(k / group) : 0;
      const level = minima ? levels[k]! & (2 * half - 1) : levels[k]!;
      values[k * out + column] = own[g]! * level - (minima ? least[g]! : 0);
    }
    if (format === 'bf16') {
      // The upper half of a float32 by truncation.
      for (let k = 0; k < inner; k++) floats[k] = (next(2000) - 1000) / 7;
      const bits = Uint16Array.from(new Uint32Array(floats.buffer), (word) => word >>> 16);
      const kept = new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
      for (let k = 0; k < inner; k++) values[k * out + column] = kept[k]!;
      packer.set(column, bits);
    } else packer.set(column, levels, own, minima ? least : undefined);
  }
  return { packed: packer.finish(), values };
}

const formats: [format: PackedFormat, inner: number, group: number][] = [
  ['bf16', 37, 0],
  ['int8', 37, 0],
  ['int4', 40, 32],
  ['int8-groups', 40, 16],
  ['uint4', 96, 32],
  ['uint8', 96, 32],
];

describeBackends('weights of levels that are there already', () => {
  test.each(formats)('%s of %i inputs in groups of %i', async (format, inner, group) => {
    const { packed, values } = weightOf(format, inner, 7, group);
    await expectClose(unpackWeight(packed), [...values], { ratio: 1e-6 });
    const [x, bias] = [gaussian([1, 3, inner], 2), gaussian([7], 3) as tf.Tensor1D];
    const weight = tf.tensor2d([...values], [inner, 7]);
    const actual = outputAndGradients(
      (x, b) => packedLinear(x!, packed, b as tf.Tensor1D),
      [x, bias],
    );
    const expected = outputAndGradients((x, b) => linear(x!, weight, b as tf.Tensor1D), [x, bias]);
    await expectClose(actual.output, expected.output);
    await expectClose(packedLinear(x, packed, bias), expected.output);
    for (const [i, g] of actual.gradients.entries()) {
      await expectClose(g, expected.gradients[i]!, { ratio: 2e-5 });
    }
    const ids = tf.tensor1d([6, 0, 3], 'int32');
    await expectClose(gatherRows(packed, ids), tf.gather(weight.transpose(), ids), { ratio: 1e-6 });
  });

  test('what does not fit is named', () => {
    const form = { shape: [4, 40], layout: 'out-in', format: 'uint4', group: 32 } as const;
    expect(() => new LevelsPacker(form)).toThrow(
      'packed weight: uint4 of 40 inputs in groups of 32; expected a multiple of 8 that divides the inputs',
    );
    expect(() => new LevelsPacker({ ...form, format: 'int4', group: 12 })).toThrow(
      'int4 of 40 inputs in groups of 12; expected a multiple of 8',
    );
    const packer = new LevelsPacker({ ...form, format: 'int8' });
    packer.set(0, new Int8Array(40), Float32Array.of(1));
    expect(() => packer.finish()).toThrow('packed weight: 1 outputs of 4 were given; expected all');
  });
});
