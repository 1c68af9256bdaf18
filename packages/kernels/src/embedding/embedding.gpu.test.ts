import { readTensor } from '@headwise/core';
import { expectClose, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { packWeight } from '../packed-linear/pack.js';
import { gatherRows } from './index.js';

/** The gradient of the table, added up row by row in JavaScript. */
function scattered(dy: Float32Array, ids: Int32Array, count: number, width: number): Float64Array {
  const table = new Float64Array(count * width);
  ids.forEach((id, row) => {
    for (let i = 0; i < width; i++) table[id * width + i]! += dy[row * width + i]!;
  });
  return table;
}

/** Zeros that only the device knows. */
const onDevice = (size: number) => tf.fill([2048], 0).slice(0, size).toInt();

const gradientOf = (table: tf.Tensor, ids: tf.Tensor, dy: tf.Tensor) =>
  tf.grad((x: tf.Tensor) => gatherRows(x as tf.Tensor2D, ids))(table, dy);

test('the gradient adds up equal ids at every number of blocks of the sort', async () => {
  const [count, width] = [29, 65];
  const table = gaussian([count, width], 1);
  for (const rows of [1, 255, 256, 257, 512, 1111, 4096, 4097, 66_000]) {
    const ids = Int32Array.from({ length: rows }, (_, i) => (i * i * 7) % count);
    const dy = gaussian([rows, width], 2);
    await poisonMemory([[count, width], [rows], [rows, width]]);
    const gradient = gradientOf(table, tf.tensor1d(ids, 'int32'), dy);
    const expected = scattered((await dy.data()) as Float32Array, ids, count, width);
    await expectClose(gradient, Array.from(expected));
  }
});

test('an id out of range that only the device has gives NaN and no gradient, and the next read throws', async () => {
  const table = gaussian([3, 5], 1) as tf.Tensor2D;
  const ids = tf.tidy(() => tf.tensor1d([-1, 3, 2], 'int32').add(onDevice(3)).toInt());
  const gradient = gradientOf(table, ids, tf.ones([3, 5]));
  await expect(readTensor(gradient)).rejects.toThrow(
    'gatherRows: id -1 at position 0 is outside the table of 3 rows',
  );
  expect([...(await readTensor(gradient))]).toEqual([...Array(10).fill(0), ...Array(5).fill(1)]);
  const values = (await table.data()) as Float32Array;
  for (const of of [table, packWeight(values, [3, 5], 'int8', 'out-in')]) {
    const rows = gatherRows(of, ids, 'trusted');
    expect([...(await rows.data()).slice(0, 10)]).toEqual(Array(10).fill(Number.NaN));
  }
});

test('gatherRows takes more rows than one dimension of workgroups, and the same bits come twice', async () => {
  const table = gaussian([7, 2], 1) as tf.Tensor2D;
  const ids = Int32Array.from({ length: 70_001 }, (_, i) => (i * 3) % 7);
  const rows = await gatherRows(table, tf.tensor1d(ids, 'int32')).data();
  const values = await table.data();
  ids.forEach((id, i) => {
    if (rows[2 * i] !== values[2 * id]) throw new Error(`row ${i} is not row ${id} of the table`);
  });
  const [few, dy] = [tf.tensor1d(ids.slice(0, 3000), 'int32'), gaussian([3000, 2], 3)];
  const [first, second] = [gradientOf(table, few, dy), gradientOf(table, few, dy)];
  expect(await first.data()).toEqual(await second.data());
});
