import * as tf from '@tensorflow/tfjs';

/**
 * Overlapping windows of rows that follow each other: window t is the first `width` values of the rows `t`, `t + 1`, …
 *
 * @param rows `[B, R, h]`, each as long as windows are apart
 * @param width of a window, above 0
 * @returns `[B, R + 1 − ⌈width / h⌉, width]`
 */
export function overlapping(rows: tf.Tensor3D, width: number): tf.Tensor3D {
  const [, count, hop] = rows.shape;
  const pieces = Math.ceil(width / hop);
  return tf.concat(
    Array.from({ length: pieces }, (_, i) =>
      rows.slice([0, i, 0], [-1, count + 1 - pieces, Math.min(hop, width - i * hop)]),
    ),
    2,
  );
}
