import * as tf from '@tensorflow/tfjs';
import { nestedGradients } from './nested.js';

/**
 * The output of some queries, from their first row, their number, themselves `[B, H, C, Dk]` and what
 * all chunks share.
 */
export type Chunk = (
  first: number,
  count: number,
  q: tf.Tensor,
  shared: readonly tf.Tensor[],
) => tf.Tensor;

/**
 * Computes queries a chunk at a time, `[B, H, Tq, Dk]` to `[B, H, Tq, Dv]`; the backward computes each
 * chunk again, so that what happens inside is never kept.
 */
export function inChunks(
  chunk: Chunk,
  q: tf.Tensor,
  shared: readonly tf.Tensor[],
  rows: number,
): tf.Tensor {
  const queries = q.shape[2]!;
  const firsts = Array.from({ length: Math.ceil(queries / rows) }, (_, i) => i * rows);
  const countFrom = (first: number) => Math.min(rows, queries - first);
  const rowsOf = (x: tf.Tensor, first: number) =>
    x.slice([0, 0, first, 0], [-1, -1, countFrom(first), -1]);
  return tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [q, ...shared] = args as tf.Tensor[];
    save([q!, ...shared]);
    const parts = firsts.map((first) =>
      tf.tidy(() => chunk(first, countFrom(first), rowsOf(q!, first), shared)),
    );
    const value = tf.concat(parts, 2);
    tf.dispose(parts);
    return { value, gradFunc: (dy, saved) => gradients(dy as tf.Tensor, saved) };
  })(q, ...shared);

  function gradients(dy: tf.Tensor, [q, ...shared]: tf.Tensor[]): tf.Tensor[] {
    const float = shared.flatMap((x, i) => (x.dtype === 'float32' ? [i] : []));
    const ofRows: tf.Tensor[] = [];
    let sums: tf.Tensor[] = [];
    for (const first of firsts) {
      const [dq, ...others] = tf.tidy(() => {
        const run = (rows: tf.Tensor, ...given: tf.Tensor[]) => {
          const all = [...shared];
          for (const [at, i] of float.entries()) all[i] = given[at]!;
          return chunk(first, countFrom(first), rows, all);
        };
        const inputs = [rowsOf(q!, first), ...float.map((i) => shared[i]!)];
        const [own, ...parts] = nestedGradients(run, inputs, rowsOf(dy, first));
        return [own!, ...parts.map((part, i) => (sums.length > 0 ? sums[i]!.add(part) : part))];
      });
      ofRows.push(dq!);
      tf.dispose(sums);
      sums = others;
    }
    const all = shared.map((x) => (x.dtype === 'float32' ? undefined : tf.zeros(x.shape)));
    for (const [at, i] of float.entries()) all[i] = sums[at];
    const dq = tf.concat(ofRows, 2);
    tf.dispose(ofRows);
    return [dq, ...(all as tf.Tensor[])];
  }
}
