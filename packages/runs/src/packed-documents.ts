import {
  type CollatedBatches,
  collatedBatches,
  type MarkedTokens,
  type PackedBatch,
  type PackingOptions,
  packDocuments,
  packedRows,
} from '@headwise/data';

/** How documents share a row: as many whole ones as fit, or one after the other, cut where a row is full. */
export const packings = ['best-fit', 'concatenate'] as const;

/** How documents share a row. */
export type Packing = (typeof packings)[number];

/** Documents in rows of equal length, each seen by itself. */
export interface PackedDocuments {
  /** How many rows there are. */
  readonly rows: number;
  /** Batches in which every row comes once an epoch; `examples` are the numbers of the documents in them. */
  shuffled(options: { batchSize: number; seed: number }): CollatedBatches<PackedBatch>;
  /** All rows in their order, so many a batch. */
  inOrder(batchSize: number): Generator<PackedBatch>;
}

/**
 * Packs documents into rows.
 *
 * @param options `length` is the tokens that a row reads
 * @throws DataError as `packDocuments`
 */
export function packed(
  documents: readonly MarkedTokens[],
  options: Pick<PackingOptions, 'length' | 'strategy'>,
): PackedDocuments {
  const rows = packDocuments(documents, options);
  const collate = packedRows(options);
  return {
    rows: rows.length,
    shuffled(how) {
      const batches = collatedBatches(rows, collate, how);
      return {
        batchesPerEpoch: batches.batchesPerEpoch,
        at(number) {
          const batch = batches.at(number);
          const documents = batch.examples.flatMap((row) => rows[row]!.documents);
          return { ...batch, examples: [...new Set(documents)] };
        },
      };
    },
    *inOrder(batchSize) {
      for (let first = 0; first < rows.length; first += batchSize) {
        yield collate(rows.slice(first, first + batchSize));
      }
    },
  };
}
