import {
  describeBackends,
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { packWeight } from '../packed-linear/pack.js';
import { unpackWeight } from '../packed-linear/unpack.js';
import { gatherRows } from './index.js';
import { gatherRowsReference } from './reference.js';

describeBackends('gatherRows', () => {
  test('gatherRows by hand, with rows asked for twice', async () => {
    const table = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const ids = tf.tensor2d([2, 0, 2, 2], [2, 2], 'int32');
    const rows = gatherRows(table, ids);
    expect(rows.shape).toEqual([2, 2, 2]);
    expect([...(await rows.data())]).toEqual([5, 6, 1, 2, 5, 6, 5, 6]);
    const dy = tf.tensor3d([1, 1, 10, 10, 2, 3, 4, 5], [2, 2, 2]);
    const gradient = tf.grad((x: tf.Tensor) => gatherRows(x as tf.Tensor2D, ids))(table, dy);
    expect([...(await gradient.data())]).toEqual([10, 10, 0, 0, 7, 9]);
  });

  for (const [count, width, rows] of [
    [1, 1, 1],
    [3, 5, 7],
    [65, 64, 63],
    [127, 3, 513],
  ] as const) {
    test(`gatherRows of [${count}, ${width}] for ${rows} ids equals the reference with its gradient`, async () => {
      const table = gaussian([count, width], 1);
      const ids = tf.tensor1d(
        Array.from({ length: rows }, (_, i) => (i * i) % count),
        'int32',
      );
      const of = (f: typeof gatherRowsReference) =>
        outputAndGradients((x) => f(x as tf.Tensor2D, ids), [table]);
      const [actual, expected] = [of(gatherRows), of(gatherRowsReference)];
      await expectClose(actual.output, expected.output);
      await expectClose(actual.gradients[0]!, expected.gradients[0]!);
    });
  }

  for (const format of ['f16', 'int8', 'int4'] as const) {
    test(`gatherRows of a table packed in ${format} equals that of its unpacked values`, async () => {
      for (const [count, width] of [
        [1, 1],
        [7, 67],
        [130, 96],
      ] as const) {
        const values = (await gaussian([count, width], 1).data()) as Float32Array;
        const packed = packWeight(values, [count, width], format, 'out-in');
        const ids = tf.tensor2d([0, count - 1, 0, Math.floor(count / 2)], [2, 2], 'int32');
        const rows = gatherRows(packed, ids);
        expect(rows.shape).toEqual([2, 2, width]);
        const expected = gatherRowsReference(unpackWeight(packed).transpose<tf.Tensor2D>(), ids);
        await expectClose(rows, expected);
        expect(() => gatherRows(packed, tf.tensor1d([count], 'int32'))).toThrow(
          `gatherRows: id ${count} at position 0 is outside the table of ${count} rows`,
        );
        await expectNoLeak(() => gatherRows(packed, ids).dispose());
        packed.dispose();
        tf.dispose([rows, expected, ids]);
      }
    });
  }

  test('gatherRows refuses what it cannot use, and leaves nothing behind', async () => {
    const table = gaussian([5, 3], 1) as tf.Tensor2D;
    const ids = tf.tensor1d([4, 0], 'int32');
    expect(() => gatherRows(table, tf.tensor1d([1, 2]))).toThrow(
      'gatherRows: ids has type float32; expected int32',
    );
    expect(() => gatherRows(tf.zeros([2, 3, 5]) as never, ids)).toThrow(
      'gatherRows: table has shape [2, 3, 5]; expected [V, D]',
    );
    expect(() => gatherRows(table, tf.zeros([0], 'int32'))).toThrow(
      'gatherRows: ids has shape [0]; expected sizes of at least 1',
    );
    await expectNoLeak(() => {
      const { output, gradients } = outputAndGradients(
        (x) => gatherRows(x as tf.Tensor2D, ids),
        [table],
      );
      tf.dispose([output, gradients]);
    });
  });
});
