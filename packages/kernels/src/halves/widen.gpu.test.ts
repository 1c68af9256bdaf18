import { expectNoLeak, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { canWidenHalves, type HalfType, widenHalves } from './widen.js';

const bitsOf = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

/** The bits in float32 of what the bits of a half stand for. */
function bitsOfHalf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  const value = exponent < 31 ? size : fraction ? Number.NaN : Number.POSITIVE_INFINITY;
  return bitsOf(Float32Array.of(sign * value))[0]!;
}

const expectedBits: Readonly<Record<HalfType, (bits: number) => number>> = {
  F16: bitsOfHalf,
  BF16: (bits) => (bits << 16) >>> 0,
};

/** Every pattern of 16 bits, subnormals, infinities and NaN among them, and some again. */
const patterns = Uint16Array.from({ length: 2 ** 16 + 9 }, (_, i) => i);

const wordsOf = (halves: Uint16Array): tf.Tensor => {
  const padded = new Uint16Array(2 * Math.ceil(halves.length / 2)).fill(0x7fff);
  padded.set(halves);
  return tf.tensor1d(new Int32Array(padded.buffer), 'int32');
};

for (const dtype of ['F16', 'BF16'] as const satisfies readonly HalfType[]) {
  test(`${dtype} is widened to the bits that its values have in float32`, async () => {
    expect(canWidenHalves()).toBe(true);
    for (const count of [1, 2, 3, 63, 64, 65, 2 ** 16, 2 ** 16 + 9]) {
      const halves = patterns.subarray(patterns.length - count);
      await poisonMemory([[count]]);
      const words = wordsOf(halves);
      const values = widenHalves(words, dtype, [1, count]);
      expect(values.shape).toEqual([1, count]);
      const expected = Array.from(halves, expectedBits[dtype]);
      const found = bitsOf((await values.data()) as Float32Array);
      // What a NaN's bits are is not said; that it is one is.
      const nan = (bits: number) => (bits & 0x7fffffff) > 0x7f800000;
      const wrong = expected.filter((bits, i) => (nan(bits) ? !nan(found[i]!) : bits !== found[i]));
      expect(wrong, `${count}`).toEqual([]);
      tf.dispose([words, values]);
    }
  });
}

test('nothing is left of it', async () => {
  const words = wordsOf(patterns.subarray(0, 100));
  await expectNoLeak(() => widenHalves(words, 'F16', [10, 10]).dispose());
  words.dispose();
});
