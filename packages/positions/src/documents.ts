import { checkShape, InputError } from '@headwise/core';
import { knownValues } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

/**
 * The position of each token in its own document, from 0 on.
 *
 * @param documents `[B, T]`, int32: the document of each token
 * @returns `[B, T]`, int32
 * @throws InputError for documents that only a GPU has
 */
export function positionsInDocuments(documents: tf.Tensor): tf.Tensor2D {
  checkShape('documents', documents.shape, ['B', 'T']);
  const known = knownValues(documents);
  if (!known) {
    throw new InputError(
      'documents: their values are on the device only; expected a tensor of given values, or positions beside them',
    );
  }
  const [rows, tokens] = documents.shape as [number, number];
  const positions = new Int32Array(known.length);
  for (let row = 0; row < rows; row++) {
    const counts = new Map<number, number>();
    for (let i = row * tokens; i < (row + 1) * tokens; i++) {
      const count = counts.get(known[i]!) ?? 0;
      positions[i] = count;
      counts.set(known[i]!, count + 1);
    }
  }
  return tf.tensor2d(positions, [rows, tokens], 'int32');
}
