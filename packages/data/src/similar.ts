import { type PaddedRows, type PaddingOptions, padRows } from './collate.js';

/** A text, one that means the same, and perhaps one that does not, as token ids. */
export interface SimilarTexts {
  readonly anchor: ArrayLike<number>;
  readonly positive: ArrayLike<number>;
  readonly negative?: ArrayLike<number> | undefined;
}

/** Texts as an encoder reads them, `[B, T]` row by row. */
export interface EncoderRows extends Omit<PaddedRows, 'ids'> {
  readonly inputs: Int32Array;
}

/** Texts that belong together, row by row, and texts that belong to none. */
export interface SimilarBatch {
  readonly anchors: EncoderRows;
  readonly positives: EncoderRows;
  /** The negatives of the examples that have one. */
  readonly negatives?: EncoderRows | undefined;
  readonly shape: readonly [batch: number];
}

/**
 * Texts with others that mean the same, for contrastive learning: each kind padded to its longest.
 *
 * @throws DataError for an empty text
 */
export function similarTexts({
  padId,
}: Pick<PaddingOptions, 'padId'> = {}): (examples: readonly SimilarTexts[]) => SimilarBatch {
  const rows = (texts: readonly ArrayLike<number>[]): EncoderRows => {
    const { ids, mask, shape } = padRows(texts, { padId });
    return { inputs: ids, mask, shape };
  };
  return (examples) => {
    const negatives = examples.flatMap(({ negative }) => (negative ? [negative] : []));
    return {
      anchors: rows(examples.map(({ anchor }) => anchor)),
      positives: rows(examples.map(({ positive }) => positive)),
      ...(negatives.length > 0 ? { negatives: rows(negatives) } : {}),
      shape: [examples.length],
    };
  };
}
