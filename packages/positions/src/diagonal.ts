import * as tf from '@tensorflow/tfjs';

/**
 * What lies beside the diagonal of matrices, as columns: `y[n, i, c] = x[n, i, first + i + c]`, and 0 beyond
 * the edges.
 *
 * @param x `[N, rows, columns]`
 * @param first the column that the first row begins at; may be negative
 * @param count the number of columns
 * @returns `[N, rows, count]`
 */
export function alongDiagonal(x: tf.Tensor3D, first: number, count: number): tf.Tensor3D {
  const [n, rows, columns] = x.shape;
  return tf.tidy(() => {
    // The columns from `first` to the end of the last row's, zeros where there are none.
    const width = rows + count - 1;
    const [begin, end] = [Math.max(0, first), Math.min(columns, first + width)];
    if (end <= begin) return tf.zerosLike(x.slice([0, 0, 0], [-1, -1, 1])).tile([1, 1, count]);
    const inside = x.slice([0, 0, begin], [-1, -1, end - begin]);
    const padded = inside.pad([
      [0, 0],
      [0, 0],
      [begin - first, first + width - end],
    ]);
    // One column more in each row moves the next row back by one.
    const flat = padded.reshape<tf.Tensor2D>([n, rows * width]).pad([
      [0, 0],
      [0, rows],
    ]);
    return flat.reshape<tf.Tensor3D>([n, rows, width + 1]).slice([0, 0, 0], [-1, -1, count]);
  });
}
