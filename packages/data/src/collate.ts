import { shuffledNumbers } from './batches.js';
import { checkWhole, DataError } from './errors.js';
import { sfc32 } from './random.js';

/**
 * Makes a batch of examples: pads, masks, packs.
 *
 * @param next gives uniform 32-bit numbers that depend on the seed and the batch's number alone
 */
export type Collator<T, B> = (examples: readonly T[], next: () => number) => B;

/** Batches by their numbers, each a pure function of the examples, the seed and the number. */
export interface CollatedBatches<B> {
  /** Batches in which as many examples are seen as there are. */
  readonly batchesPerEpoch: number;
  at(number: number): B & { readonly examples: readonly number[] };
}

/** Numbers drawn by collators are unrelated to those of the examples' order. */
const collating = 2;

/**
 * Batches of examples in which every example comes once an epoch, in a new order each time.
 *
 * What is random in a batch is drawn anew every time that an example comes (dynamic masking).
 *
 * @param options `batchSize` is `B`; `seed` is a whole number up to 2^53 − 1, default 0
 * @throws DataError without examples, or when an option is not a whole number in its range
 * @example
 * const batches = collatedBatches(encodings, maskTokens({ vocabSize, maskId }), { batchSize: 8, seed: 1 });
 * batches.at(0); // { inputs, mask, targets, shape, examples }
 */
export function collatedBatches<T, B extends object>(
  examples: readonly T[],
  collate: Collator<T, B>,
  { batchSize, seed = 0 }: { batchSize: number; seed?: number | undefined },
): CollatedBatches<B> {
  if (examples.length === 0) throw new DataError('there are no examples, expected at least one');
  const numbers = shuffledNumbers(examples.length, { batchSize, seed });
  return {
    batchesPerEpoch: examples.length / batchSize,
    at: (number) => {
      const chosen = numbers(number);
      const rows = chosen.map((n) => examples[n]!);
      return { ...collate(rows, sfc32(seed, number, collating)), examples: chosen };
    },
  };
}

/** A text as token ids, with what a tokenizer's encoding says of each. */
export interface EncodedText {
  readonly ids: ArrayLike<number>;
  /** 1 for tokens that the tokenizer added, such as `[CLS]`; default none. */
  readonly specialTokensMask?: ArrayLike<number> | undefined;
  /** The number of each token's word; null for tokens of no word. */
  readonly wordIds?: ArrayLike<number | null> | undefined;
  /** The segment of each token; default 0. */
  readonly typeIds?: ArrayLike<number> | undefined;
}

/** Ids padded to one length, `[B, T]` row by row. */
export interface PaddedRows {
  readonly ids: Int32Array;
  /** 1 where there is a token, 0 at padding. */
  readonly mask: Int32Array;
  readonly shape: readonly [batch: number, tokens: number];
}

/** How rows are made equally long. */
export interface PaddingOptions {
  /** The id that padding has; default 0. */
  padId?: number | undefined;
  /** `T`; default the length of the longest row. */
  length?: number | undefined;
}

/**
 * Rows of token ids, padded on the right.
 *
 * @throws DataError for an empty row, or one longer than `length`
 */
export function padRows(
  rows: readonly ArrayLike<number>[],
  { padId = 0, length }: PaddingOptions = {},
): PaddedRows {
  if (length !== undefined) checkWhole('length', length, 1);
  const longest = length ?? rows.reduce((most, row) => Math.max(most, row.length), 0);
  const ids = new Int32Array(rows.length * longest).fill(padId);
  const mask = new Int32Array(rows.length * longest);
  for (const [n, row] of rows.entries()) {
    if (row.length === 0 || row.length > longest) {
      throw new DataError(
        `row ${n} of a batch has ${row.length} tokens, expected at least 1${length === undefined ? '' : ` and at most ${length}`}`,
      );
    }
    for (let i = 0; i < row.length; i++) {
      ids[n * longest + i] = row[i]!;
      mask[n * longest + i] = 1;
    }
  }
  return { ids, mask, shape: [rows.length, longest] };
}
