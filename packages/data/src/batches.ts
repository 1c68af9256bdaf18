import { checkWhole, DataError } from './errors.js';
import type { TokenIds } from './ids.js';
import { permutation } from './random.js';
import type { Windows } from './windows.js';

/** Inputs and targets of a causal language model. */
export interface Batch {
  /** Token ids, `[B, T]` row by row. */
  readonly inputs: Int32Array;
  /** The token that follows each input, `[B, T]`. */
  readonly targets: Int32Array;
  readonly shape: readonly [batch: number, tokens: number];
  /** The number of each row's window. */
  readonly examples: readonly number[];
}

/** An infinite sequence of training batches with random access: `at(step)` depends on the seed and the step only. */
export interface ShuffledBatches {
  /** Steps in which as many windows are seen as the corpus has; a fraction where they do not fill whole batches. */
  readonly stepsPerEpoch: number;
  /** The batch of a step, counted from 0: a pure function of the windows, the options and the step. */
  at(step: number): Batch;
  /** The batches from a step on; a run that resumes at step n sees what it would have seen. */
  from(step: number): Generator<Batch, never>;
}

/**
 * Batches in which every window comes once an epoch, in a new order each time.
 *
 * Window `s = step · batchSize + row` of the endless sequence is number `s mod count` of the permutation of epoch
 * `⌊s / count⌋`, so a batch at the end of an epoch is filled up from the next one.
 * @param options `batchSize` is `B`; `seed` is a whole number up to 2^53 − 1, default 0
 * @throws DataError when an option is not a whole number in its range
 */
export function shuffledBatches(
  source: Windows,
  { batchSize, seed = 0 }: { batchSize: number; seed?: number | undefined },
): ShuffledBatches {
  const numbers = shuffledNumbers(source.count, { batchSize, seed });
  const at = (step: number): Batch => cutBatch(source.ids, numbers(step), source);
  return {
    stepsPerEpoch: source.count / batchSize,
    at,
    *from(step) {
      for (let next = step; ; next++) yield at(next);
    },
  };
}

/**
 * The examples of a batch: numbers in which each of `count` comes once an epoch, in a new order each time.
 *
 * @returns the numbers of a step, `[batchSize]`, from the step's number
 */
export function shuffledNumbers(
  count: number,
  { batchSize, seed = 0 }: { batchSize: number; seed?: number | undefined },
): (step: number) => number[] {
  checkWhole('batchSize', batchSize, 1);
  checkWhole('seed', seed, 0);
  let epoch = -1;
  let order: Uint32Array;
  const at = (position: number): number => {
    const wanted = Math.floor(position / count);
    if (wanted !== epoch) {
      order = permutation(count, seed, wanted);
      epoch = wanted;
    }
    return order[position % count]!;
  };
  return (step) => {
    checkWhole('step', step, 0);
    return Array.from({ length: batchSize }, (_, row) => at(step * batchSize + row));
  };
}

/**
 * Batches in the order of the corpus, in which every token but the first is a target exactly once.
 *
 * Full windows come first, `B` at a time with fewer in the last; a rest shorter than a window is a batch of its own.
 * @param options `batchSize` is `B`; `length` is `T`
 * @throws DataError when an option is not a whole number in its range, or the corpus has fewer than two tokens
 */
export function sequentialBatches(
  ids: TokenIds,
  { batchSize, length }: { batchSize: number; length: number },
): Generator<Batch> {
  checkWhole('batchSize', batchSize, 1);
  checkWhole('length', length, 1);
  if (ids.length < 2) {
    throw new DataError(`the corpus has ${ids.length} tokens, expected at least 2 to predict one`);
  }
  return cutInOrder(ids, batchSize, length);
}

function* cutInOrder(ids: TokenIds, batchSize: number, length: number): Generator<Batch> {
  const predicted = ids.length - 1;
  const whole = predicted - (predicted % length);
  for (let first = 0; first < whole; first += batchSize * length) {
    const rows = Math.min(batchSize, (whole - first) / length);
    const windows = Array.from({ length: rows }, (_, row) => first / length + row);
    yield cutBatch(ids, windows, { length, stride: length });
  }
  if (whole < predicted) {
    yield cutBatch(ids, [whole / length], { length: predicted - whole, stride: length });
  }
}

/** Windows by their numbers, `[windows, length]`, with their targets. */
function cutBatch(
  ids: TokenIds,
  windows: readonly number[],
  { length, stride }: Pick<Windows, 'length' | 'stride'>,
): Batch {
  const inputs = new Int32Array(windows.length * length);
  const targets = new Int32Array(windows.length * length);
  for (const [row, window] of windows.entries()) {
    const start = window * stride;
    inputs.set(ids.subarray(start, start + length), row * length);
    targets.set(ids.subarray(start + 1, start + 1 + length), row * length);
  }
  return { inputs, targets, shape: [windows.length, length], examples: windows };
}
