import { underBindingLimit } from '@headwise/core/internal';
import { cases, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { chunkedCrossEntropy } from '../chunked-cross-entropy/index.js';
import { embedToken } from '../decode/embed.js';
import { decodeLinear } from '../decode/linear.js';
import { gatherRows } from '../embedding/index.js';
import { linear } from '../linear/index.js';
import { packedLinear } from '../packed-linear/index.js';
import { packWeight } from '../packed-linear/pack.js';

// A row of the table lies across the end of its first piece.
const [count, width, limit] = [101, 44, 8960];
const table = gaussian([count, width], 1) as tf.Tensor2D;
const ids = tf.tensor1d([0, 50, 51, 100, 50, 24, 50], 'int32');
const x = gaussian([7, width], 2) as tf.Tensor2D;
const row = gaussian([1, width], 3) as tf.Tensor2D;
const state = (id: number) => tf.tensor2d([[0, id, 0, 0]], [1, 4], 'int32');

/** Values to the bit, computed with the device's own limit and with one that the table exceeds. */
async function expectSame(compute: () => tf.Tensor | tf.Tensor[]): Promise<void> {
  const values = async () => {
    const tensors = tf.tidy(() => compute());
    const read = await Promise.all([tensors].flat().map((tensor) => tensor.data()));
    tf.dispose(tensors);
    return read.map((each) => [...each]);
  };
  const expected = await values();
  expect(expected.flat().every(Number.isFinite)).toBe(true);
  expect(await underBindingLimit(limit, values)).toEqual(expected);
}

test('rows of a large table are gathered, and their gradients added up in it', async () => {
  await expectSame(() => gatherRows(table, ids));
  await expectSame(() =>
    tf.grad((weight: tf.Tensor) => gatherRows(weight as tf.Tensor2D, ids))(table, x),
  );
});

test('products with a large weight in both layouts', async () => {
  const transposed = table.reshape<tf.Tensor2D>([width, count]);
  await expectSame(() => linear(x, transposed));
  for (const layout of ['out-in', 'in-out'] as const) {
    const values = layout === 'out-in' ? table : transposed;
    await expectSame(() => decodeLinear(row, { values, layout }, { norm: { kind: 'rms' } }));
  }
});

test('products in mixed precision of a weight whose halves are large too', async () => {
  const weight = gaussian([width, 150], 4) as tf.Tensor2D;
  const mixed = (x: tf.Tensor, w: tf.Tensor) =>
    linear(x, w as tf.Tensor2D, undefined, 'in-out', 'none', 'mixed');
  await expectSame(() => tf.grads(mixed)([x, weight]));
});

test('the loss of a tied head in chunks, and the gradients of both uses of its table', async () => {
  const labels = tf.tensor1d([0, 50, 51, 100, -100, 7, 8], 'int32');
  const loss = (w: tf.Tensor) => {
    const hidden = gatherRows(w as tf.Tensor2D, ids) as tf.Tensor2D;
    return chunkedCrossEntropy(hidden.add(x), w as tf.Tensor2D, labels);
  };
  await expectSame(() => loss(table));
  await expectSame(() => {
    const { value, grad } = tf.valueAndGrad(loss)(table);
    return [value, grad];
  });
});

test('elementwise operations of TensorFlow.js on large tensors', async () => {
  const [rows, columns] = [gaussian([count, 1], 6), gaussian([width], 7)];
  await expectSame(() => [
    table.add(table),
    table.sub(rows),
    columns.sub(table),
    table.mul(-3),
    table.div(rows),
    tf.scalar(2).div(table),
    tf.zerosLike(table),
    tf.fill([count, width], 1.5),
  ]);
  await underBindingLimit(limit, () => {
    const middle = tf.ones([count, 2, 22]);
    expect(() => middle.add(tf.ones([count, 1, 22]))).toThrow(
      'the device binds at most 8960 at once',
    );
  });
});

test('a norm before a weight that leaves no bindings for it takes a dispatch of its own', async () => {
  for (const norm of [
    { kind: 'layer', weight: gaussian([width], 8), bias: gaussian([width], 9) },
    { kind: 'rms', weight: gaussian([width], 8) },
  ] as const) {
    const values = table.reshape<tf.Tensor2D>([width, count]);
    const run = () => decodeLinear(row, { values, layout: 'in-out' }, { norm });
    // Fourteen pieces of sixteen bindings.
    await expectClose(await underBindingLimit(1280, run), run(), { ratio: 2e-6 });
  }
});

test('the next token is embedded by a large table', async () => {
  for (const id of [0, 50, 51, 100]) {
    await expectSame(() => embedToken([{ values: table, layout: 'out-in' }], state(id)));
  }
});

const packedTables = [
  ['f16', 160],
  ['int8', 300],
  ['int4', 600],
] as const;

for (const [format, rows] of cases(packedTables, ([format]) => format === 'int8')) {
  test(`a large table in ${format}`, async () => {
    const values = (await gaussian([rows, width], 5).data()) as Float32Array;
    const packed = packWeight(values, [rows, width], format, 'out-in');
    expect(4 * packed.words.size).toBeGreaterThan(limit);
    await expectSame(() => gatherRows(packed, ids));
    await expectSame(() => packedLinear(row, packed));
    await expectSame(() => packedLinear(x, packed));
    await expectSame(() => decodeLinear(row, packed));
    await expectSame(() => embedToken([packed], state(rows - 1)));
  });
}
