import { dispatchesOf, expectNoLeak, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { runKernel } from '../dispatch/register.js';
import { toHalves } from './index.js';

/** What the bits of a half stand for. */
function halfOf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const halvesIn = async (words: tf.Tensor) =>
  [...new Uint16Array(Int32Array.from(await words.data()).buffer)].map(halfOf);

test('halves are the nearest, ties to even, with subnormals, infinities and NaN', async () => {
  const finite = Array.from({ length: 0x7c00 }, (_, bits) => halfOf(bits));
  const given: number[] = [];
  const expected: number[] = [];
  const add = (value: number, half: number) => {
    given.push(value, -value);
    expected.push(half, -half);
  };
  // Beyond the largest there would be 65,536, which is infinite.
  const next = (i: number) => finite[i + 1] ?? 65_536;
  const stored = (i: number) => finite[i] ?? Number.POSITIVE_INFINITY;
  for (let i = 0; i < finite.length; i += i < 40 || i > 31_700 ? 1 : 61) {
    const middle = (finite[i]! + next(i)) / 2;
    add(finite[i]!, finite[i]!);
    add(middle, stored(i + (i & 1)));
    add(Math.fround(middle - middle * 2 ** -22), finite[i]!);
    add(Math.fround(middle + middle * 2 ** -22), stored(i + 1));
  }
  add(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  add(1e-9, 0);
  add(1e30, Number.POSITIVE_INFINITY);
  given.push(Number.NaN);
  expected.push(Number.NaN);
  for (const count of [given.length, given.length - (given.length % 4)]) {
    await poisonMemory([[Math.ceil(count / 2)]]);
    const words = toHalves(tf.tensor1d(given.slice(0, count)));
    expect(words.shape).toEqual([Math.ceil(count / 2)]);
    // Zeros have signs too.
    expect((await halvesIn(words)).slice(0, count)).toEqual(expected.slice(0, count));
  }
});

test('the halves of a tensor are made once, until they are freed or its values change', async () => {
  const x = gaussian([32, 32], 1);
  const { numDataBuffers } = tf.memory();
  const [one, two] = [toHalves(x), toHalves(x.reshape([64, 16]))];
  expect(tf.memory().numDataBuffers).toBe(numDataBuffers + 1);
  expect(one.dataId).toBe(two.dataId);
  one.dispose();
  expect(await two.data()).toEqual(await toHalves(gaussian([32, 32], 1)).data());
  runKernel('headwise/AddInPlace', { sum: x, addend: gaussian([32, 32], 1) });
  const changed = toHalves(x);
  expect(changed.dataId).not.toBe(two.dataId);
  expect(await halvesIn(changed)).toEqual((await halvesIn(two)).map((value) => 2 * value));
  tf.dispose([two, changed]);
  // The words are freed with the tensor.
  expect(dispatchesOf(() => toHalves(x).dispose())).toBe(1);
  expect(dispatchesOf(() => tf.dispose([toHalves(x), toHalves(x)]))).toBe(1);
  await expectNoLeak(() => tf.dispose([toHalves(x), toHalves(x)]));
});
