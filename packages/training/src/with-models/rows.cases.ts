import type { ExampleBatch } from '../index.js';

/** Values of a batch that are its rows one after the other. */
type Rows = Int32Array | Float32Array;

const isRows = (value: unknown): value is Rows =>
  value instanceof Int32Array || value instanceof Float32Array;

const isBatch = (value: unknown): value is ExampleBatch =>
  typeof value === 'object' && value !== null && 'shape' in value;

/** Each row of a batch as a batch of its own, also where it holds batches, such as anchors and positives. */
export function rowsOf<B extends ExampleBatch>(batch: B): B[] {
  return Array.from({ length: batch.shape[0] }, (_, row) => someRows(batch, [row]));
}

/** Each pair of a batch whose rows are first halves and then second halves. */
export function pairsOf<B extends ExampleBatch>(batch: B): B[] {
  const pairs = batch.shape[0] / 2;
  return Array.from({ length: pairs }, (_, n) => someRows(batch, [n, pairs + n]));
}

/** Some rows of a batch, by their numbers. */
function someRows<B extends ExampleBatch>(batch: B, numbers: readonly number[]): B {
  const [rows, ...sizes] = batch.shape;
  const chosen = Object.entries(batch).map(([key, value]): [string, unknown] => {
    if (key === 'shape') return [key, [numbers.length, ...sizes]];
    if (isBatch(value)) return [key, someRows(value, numbers)];
    if (!isRows(value)) return [key, value];
    const width = value.length / rows;
    const parts = numbers.flatMap((n) => [...value.subarray(n * width, (n + 1) * width)]);
    return [key, value instanceof Int32Array ? Int32Array.from(parts) : Float32Array.from(parts)];
  });
  return Object.fromEntries(chosen) as unknown as B;
}
