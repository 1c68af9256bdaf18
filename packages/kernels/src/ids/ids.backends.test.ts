import { InputError, readTensor } from '@headwise/core';
import { describeBackends, expectNoLeak, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { chunkedCrossEntropy } from '../chunked-cross-entropy/index.js';
import { sparseCrossEntropy } from '../cross-entropy/index.js';
import { gatherRows } from '../embedding/index.js';
import { sampleTokens } from '../sampling/index.js';
import { checkIds } from './index.js';
import { vocabularyOf } from './space.js';

const ids = (...values: number[]) => tf.tensor1d(values, 'int32');

/** The same ids, which on a GPU nobody but the device knows. */
const computed = (values: tf.Tensor1D): tf.Tensor1D =>
  tf.tidy(
    () => values.add(tf.fill([2048], 0).slice(0, values.size).toInt()).toInt() as tf.Tensor1D,
  );

describeBackends('ids', () => {
  test('outside their space are named, with their position and the space', () => {
    const space = vocabularyOf(13);
    checkIds(ids(0, 12, 5), space);
    expect(() => checkIds(ids(0, 13, 14), space)).toThrow(
      new InputError('id 13 at position 1 is outside the vocabulary of 13 tokens'),
    );
    const rows = tf.tensor3d([0, 1, 2, 3, 4, 5, 6, -1], [2, 2, 2], 'int32');
    const refused = 'id -1 at position [1, 1, 1] is outside the vocabulary of 13 tokens';
    expect(() => checkIds(rows, space)).toThrow(refused);
    // TensorFlow.js forgets values when it has uploaded them; what is known of them stays.
    tf.dispose(rows.add(gaussian([600, 2, 2, 2], 1)));
    expect(() => checkIds(rows, space)).toThrow(refused);
    expect(() => checkIds(rows.reshape([8]), space)).toThrow('id -1 at position 7 is outside');
    checkIds(ids(0, -100, 12), vocabularyOf(13, 'target', -100));
    expect(() => checkIds(ids(0, -99), vocabularyOf(13, 'target', -100))).toThrow(
      'target -99 at position 1 is outside the vocabulary of 13 tokens',
    );
    expect(() => checkIds(tf.zeros([3]), space)).toThrow('ids has type float32; expected int32');
  });

  test('out of range are refused by every operation with a lookup', () => {
    const [table, logits] = [gaussian([5, 3], 1), gaussian([2, 5], 1)] as tf.Tensor2D[];
    const hidden = gaussian([2, 3], 1) as tf.Tensor2D;
    for (const bad of [-1, 5, 2 ** 31 - 1]) {
      expect(() => gatherRows(table!, ids(4, bad))).toThrow(
        `gatherRows: id ${bad} at position 1 is outside the table of 5 rows`,
      );
      const label = `label ${bad} at position 1 is outside the 5 classes of the logits`;
      expect(() => sparseCrossEntropy(logits!, ids(4, bad))).toThrow(label);
      expect(() => chunkedCrossEntropy(hidden, table!, ids(4, bad))).toThrow(label);
      if (bad < 0) continue;
      const history = tf.tensor2d([[0], [bad]], [2, 1], 'int32');
      expect(() => sampleTokens(logits!, {}, 1, { history })).toThrow(
        `sampleTokens: history: id ${bad} at position [1, 0] is outside the vocabulary of 5 tokens`,
      );
    }
  });

  test('that were computed are checked on their backend, and reported by the next read at the latest', async () => {
    const read = async (bad: number[]) => {
      checkIds(computed(ids(...Array.from({ length: 900 }, (_, i) => i % 13))), vocabularyOf(13));
      checkIds(computed(ids(...bad)), vocabularyOf(7));
      checkIds(computed(ids(90, 91)), vocabularyOf(7));
      await readTensor(tf.scalar(1).add(1));
    };
    const refused = 'id 7 at position 600 is outside the vocabulary of 7 tokens';
    const bad = Array.from({ length: 900 }, (_, i) => (i >= 600 ? 7 : i % 7));
    await expect(read(bad)).rejects.toThrow(refused);
    const other = tf.scalar(1).add(gaussian([], 1));
    const fine = async () => {
      tf.tidy(() => checkIds(computed(ids(3, 6)), vocabularyOf(7)));
      await readTensor(other);
    };
    await fine();
    await expectNoLeak(fine);
  });
});
