import * as tf from '@tensorflow/tfjs';

/** Adds rows of a table in plain operations: the specification. */
export function addRowsReference(x: tf.Tensor, table: tf.Tensor2D, first: number): tf.Tensor {
  const [, tokens, width] = x.shape as [number, number, number];
  return tf.tidy(() => x.add(table.slice([first, 0], [tokens, width])));
}
