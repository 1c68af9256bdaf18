import * as tf from '@tensorflow/tfjs';

/** Sequences of any lengths: ids `[N, T]` with 0 behind the shorter ones, and the length of each. */
export function paddedRows(sequences: readonly (readonly number[])[]): {
  ids: tf.Tensor2D;
  lengths: number[];
} {
  const lengths = sequences.map(({ length }) => length);
  const longest = Math.max(...lengths);
  const ids = new Int32Array(sequences.length * longest);
  for (const [row, sequence] of sequences.entries()) ids.set(sequence, row * longest);
  return { ids: tf.tensor2d(ids, [sequences.length, longest], 'int32'), lengths };
}
