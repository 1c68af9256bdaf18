import type { CollatedBatches, Collator } from './collate.js';
import { checkWhole, DataError } from './errors.js';
import { permutation, sfc32 } from './random.js';

/** Numbers drawn by collators are unrelated to those of the batches' order. */
const collating = 3;

export interface TokenBatchesOptions<T> {
  /** The most tokens of a batch, padding included: its examples times its longest one. */
  batchTokens: number;
  /** The most examples of a batch; default any number. */
  batchSize?: number | undefined;
  lengthOf(example: T): number;
  /** A whole number up to 2^53 − 1; default 0. */
  seed?: number | undefined;
}

/**
 * Batches of examples of like length, as many as a number of tokens holds, in which every example comes once an epoch.
 *
 * Batches come in a new order each epoch, and examples of one length are spread over their batches anew. An example that is longer
 * than a batch may be has one of its own.
 *
 * @throws DataError without examples, or when an option is not a whole number in its range
 */
export function tokenBatches<T, B extends object>(
  examples: readonly T[],
  collate: Collator<T, B>,
  { batchTokens, batchSize = examples.length, lengthOf, seed = 0 }: TokenBatchesOptions<T>,
): CollatedBatches<B> {
  if (examples.length === 0) throw new DataError('there are no examples, expected at least one');
  checkWhole('batchTokens', batchTokens, 1);
  checkWhole('batchSize', batchSize, 1);
  checkWhole('seed', seed, 0);
  const lengths = examples.map(lengthOf);
  const longestFirst = lengths.toSorted((a, b) => b - a);
  // Where batches begin in that order: the same in every epoch, as lengths are.
  const starts: number[] = [];
  for (let first = 0; first < examples.length; ) {
    starts.push(first);
    const rows = Math.min(batchSize, Math.floor(batchTokens / longestFirst[first]!));
    first += Math.max(1, rows);
  }
  let epoch = -1;
  let members: number[] = [];
  let order: Uint32Array;
  return {
    batchesPerEpoch: starts.length,
    at(number) {
      checkWhole('number', number, 0);
      const wanted = Math.floor(number / starts.length);
      if (wanted !== epoch) {
        epoch = wanted;
        members = [...permutation(examples.length, seed, 2 * epoch)].sort(
          (a, b) => lengths[b]! - lengths[a]!,
        );
        order = permutation(starts.length, seed, 2 * epoch + 1);
      }
      const batch = order[number % starts.length]!;
      const chosen = members.slice(starts[batch], starts[batch + 1]);
      const rows = chosen.map((n) => examples[n]!);
      return { ...collate(rows, sfc32(seed, number, collating)), examples: chosen };
    },
  };
}
