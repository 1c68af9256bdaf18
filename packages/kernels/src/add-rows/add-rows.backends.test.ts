import {
  describeBackends,
  expectClose,
  expectNoLeak,
  gaussian,
  outputAndGradients,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { addRows } from './index.js';
import { addRowsReference } from './reference.js';

describeBackends('addRows', () => {
  test('adds rows from the first one on', async () => {
    const table = tf.tensor2d([9, 9, 10, 20, 30, 40, 9, 9], [4, 2]);
    const x = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
    await expectClose(addRows(x, table, 1), [11, 22, 33, 44, 15, 26, 37, 48]);
    const dTable = tf.grad((table) => addRows(x, table as tf.Tensor2D, 1))(table, x);
    await expectClose(dTable, [0, 0, 6, 8, 10, 12, 0, 0]);
  });

  for (const [batch, tokens, width, first, after] of [
    [1, 1, 1, 0, 0],
    [3, 63, 5, 0, 0],
    [2, 65, 7, 11, 3],
    [5, 1, 513, 1, 0],
  ] as const) {
    test(`[${batch}, ${tokens}, ${width}] from row ${first} equals the reference, gradients too, the same bits twice`, async () => {
      const inputs = [
        gaussian([batch, tokens, width], 1),
        gaussian([first + tokens + after, width], 2),
      ];
      const expected = outputAndGradients(
        (x, table) => addRowsReference(x!, table as tf.Tensor2D, first),
        inputs,
      );
      const run = () =>
        outputAndGradients((x, table) => addRows(x!, table as tf.Tensor2D, first), inputs);
      await poisonMemory(inputs.map(({ shape }) => shape));
      const actual = run();
      await expectClose(actual.output, expected.output, { ratio: 1e-6 });
      for (const [i, gradient] of actual.gradients.entries()) {
        await expectClose(gradient, expected.gradients[i]!, { ratio: 1e-6 });
        expect(await gradient.data()).toEqual(await run().gradients[i]!.data());
      }
      await expectNoLeak(() => {
        const { output, gradients } = run();
        tf.dispose([output, ...gradients]);
      });
    });
  }

  test('refuses rows that the table does not have', () => {
    const x = tf.zeros([1, 3, 2]);
    expect(() => addRows(x, tf.zeros([4, 2]), 2)).toThrow(
      'addRows: rows 2 to 5 of a table of 4; expected rows that it has',
    );
    expect(() => addRows(x, tf.zeros([4, 3]))).toThrow(
      'addRows: table has shape [4, 3]; expected [N, 2]',
    );
  });
});
