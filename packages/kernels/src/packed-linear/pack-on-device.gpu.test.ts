import { initializers, ParamStore } from '@headwise/core';
import { drawnValues, type MatrixLayout, type Packer } from '@headwise/core/internal';
import { expectNoLeak, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { type PackedWeight, type WeightFormat, WeightPacker } from './pack.js';
import { WebGPUPacker, weightPacker } from './pack-on-device.js';

const valuesOf = async ({ words, scales }: PackedWeight) => ({
  words: await words.data(),
  scales: scales && new Uint32Array((await scales.data()).slice().buffer),
});

function packedBy(packer: Packer, values: Float32Array, steps: number): PackedWeight {
  const size = steps * packer.step;
  for (let at = 0; at < values.length; at += size) packer.add(values.subarray(at, at + size));
  return packer.finish() as PackedWeight;
}

/** Expects the device to make the words and scales that JavaScript makes, to the bit. */
async function expectSameBits(
  values: Float32Array,
  shape: [number, number],
  {
    group = 32 as 32 | 64,
    steps = 1000,
    what = '',
    formats = ['int8', 'int4', 'f16'] as readonly WeightFormat[],
  } = {},
): Promise<void> {
  for (const layout of ['in-out', 'out-in'] as const satisfies MatrixLayout[]) {
    for (const format of formats) {
      const host = packedBy(new WeightPacker(shape, format, layout, group), values, steps);
      await poisonMemory([host.words.shape, host.scales?.shape ?? [1], [values.length]]);
      const device = packedBy(new WebGPUPacker(shape, format, layout, group), values, steps);
      const [actual, expected] = [await valuesOf(device), await valuesOf(host)];
      const name = `${what} ${format} ${layout} ${shape}`;
      expect(actual.scales, name).toEqual(expected.scales);
      expect(actual.words, name).toEqual(expected.words);
      expect({ ...device, words: 0, scales: 0 }).toEqual({ ...host, words: 0, scales: 0 });
      device.dispose();
      host.dispose();
    }
  }
}

const normal = (size: number) => drawnValues({ kind: 'normal', std: 0.02 }, size, [3, 4]);

test('packing on the device gives the bits of JavaScript, in ugly sizes and pieces', async () => {
  const shapes = [
    [1, 1],
    [3, 5],
    [63, 65],
    [64, 4],
    [127, 33],
  ] as const;
  for (const [rows, columns] of shapes) {
    const values = normal(rows * columns);
    await expectSameBits(values, [rows, columns]);
    await expectSameBits(values, [rows, columns], { group: 64, steps: 1 });
  }
  await expectSameBits(normal(257 * 130), [257, 130], { steps: 7 });
});

test('values in the middle between two numbers, zeros, and tiny and huge columns too', async () => {
  const [rows, columns] = [70, 9];
  const places = Array.from({ length: rows * columns }, (_, i) => i);
  // Halves of a unit of 2⁻⁷: each column's largest magnitude is 127 or 7 units.
  const halves = (most: number) =>
    Float32Array.from(places, (i) => {
      const k = Math.floor(i / columns);
      return (k % 32 === 0 ? most : ((i * 7) % (4 * most)) / 2 - most) / 128;
    });
  await expectSameBits(halves(127), [rows, columns], { what: 'halves of 127' });
  await expectSameBits(halves(7), [rows, columns], { what: 'halves of 7' });
  await expectSameBits(new Float32Array(rows * columns), [rows, columns], { what: 'zeros' });
  for (const scale of [1e-32, 1e-20, 1e-4, 1, 1e20, 3e36]) {
    const scaled = normal(rows * columns).map((value, i) =>
      i % columns === 3 ? 0 : value * scale,
    );
    const formats = scale > 1 ? (['int8', 'int4'] as const) : undefined;
    await expectSameBits(scaled, [rows, columns], { what: `${scale}`, formats });
  }
  // Single values that are the only one of their column, and each neighbour of a middle.
  const near = Float32Array.from(places, (i) => {
    const bits = new Uint32Array(new Float32Array([((i % 126) + 0.5) * 0.0123]).buffer);
    bits[0]! += (i % 5) - 2;
    return i < columns ? 127 * 0.0123 : new Float32Array(bits.buffer)[0]!;
  });
  await expectSameBits(near, [rows, columns], { what: 'near the middle' });
});

test('a store packs what it draws without reading it back, and what is not finite is refused', async () => {
  await expectNoLeak(async () => {
    const pack = (make: typeof weightPacker | typeof WeightPacker) => {
      const params = new ParamStore({
        seed: 2,
        packing: (_, shape, layout) =>
          make === weightPacker
            ? weightPacker(shape, 'int8', layout)
            : new WeightPacker(shape, 'int8', layout),
      });
      const { packed } = params.matrix('weight', [65, 12], 'in-out', initializers.normal(0.02));
      return { params, packed: packed as PackedWeight };
    };
    const [device, host] = [pack(weightPacker), pack(WeightPacker)];
    const [a, b] = [await valuesOf(device.packed), await valuesOf(host.packed)];
    // Drawn in two ways, values differ by units in the last place: few words, and by one step.
    const different = a.words.filter((word, i) => word !== b.words[i]).length;
    expect(different).toBeLessThanOrEqual(2);
    device.params.dispose();
    host.params.dispose();
  });
  for (const make of [() => new WebGPUPacker([4, 8], 'int8'), () => weightPacker([4, 8], 'int8')]) {
    const packer = make();
    const values = new Float32Array(32).fill(1);
    values[5] = Number.NaN;
    expect(() => packer.add(values)).toThrow('packWeight: value 5 is NaN; expected finite values');
    expect(() => packer.add(new Float32Array(8))).toThrow('packWeight: 8 values of the 32 left');
    expect(() => packer.finish()).toThrow('packWeight: 32 values are missing');
    expect(() => packer.addTensor?.(tf.ones([3]))).toThrow('expected [4, 8] and none before');
  }
});
