import { checkWhole, DataError } from './errors.js';
import { type PackingOptions, packLengths } from './pack.js';

/** A document as token ids. Tokens whose mark in `counted` is 1 are predicted; default all. */
export interface MarkedTokens {
  readonly ids: ArrayLike<number>;
  readonly counted?: ArrayLike<number> | undefined;
}

/** Parts of documents that share a row. */
export interface PackedRow {
  /** Each part: the tokens that are read, and the one that follows the last. */
  readonly parts: readonly MarkedTokens[];
}

/** A row that tells whose parts it has. */
export interface DocumentsRow extends PackedRow {
  /** The number of each part's document. */
  readonly documents: readonly number[];
}

/** Rows of several documents. The attention mask, made from `documents`, lets a token attend to its own document only. */
export interface PackedBatch {
  /** `[B, T]` */
  readonly inputs: Int32Array;
  /** `[B, T]`, the token that follows in the same document, −100 where none is predicted. */
  readonly targets: Int32Array;
  /** `[B, T]`, the number of each token's document in its row; padding is a document of its own. */
  readonly documents: Int32Array;
  readonly shape: readonly [batch: number, tokens: number];
}

/**
 * Packs documents into rows for a causal language model, by the tokens that each one reads: all but its last.
 *
 * A document that is longer than a row is split into parts. Each part begins with the last target of the part before it, so
 * every token but a document's first is predicted exactly once. Rows without a token to predict, such as those of a long prompt alone, are
 * left out.
 *
 * @param options `length` is `T`
 * @returns examples for `collatedBatches` with `packedRows`
 * @throws DataError without documents, without a token to predict, for a document of fewer than two tokens, and for marks that are not
 * one for each token
 */
export function packDocuments(
  documents: readonly MarkedTokens[],
  options: PackingOptions,
): DocumentsRow[] {
  for (const [n, { ids, counted }] of documents.entries()) {
    if (ids.length < 2) {
      throw new DataError(
        `document ${n} has ${ids.length} tokens, expected at least 2 to predict one`,
      );
    }
    if (counted && counted.length !== ids.length) {
      throw new DataError(
        `document ${n} has ${ids.length} tokens and ${counted.length} marks, expected one for each`,
      );
    }
  }
  const lengths = documents.map(({ ids }) => ids.length - 1);
  const rows = packLengths(lengths, options).map((pieces) => ({
    documents: pieces.map(({ document }) => document),
    parts: pieces.map(({ document, start, end }) => {
      const { ids, counted } = documents[document]!;
      const part = (values: ArrayLike<number>): number[] =>
        Array.prototype.slice.call(values, start, end + 1);
      return { ids: part(ids), ...(counted ? { counted: part(counted) } : {}) };
    }),
  }));
  // The first token of a part is only read.
  const predicts = ({ counted }: { counted?: number[] }) =>
    counted === undefined || counted.some((one, i) => i > 0 && one !== 0);
  const kept = rows.filter(({ parts }) => parts.some(predicts));
  if (kept.length > 0) return kept;
  throw new DataError(
    `none of the ${documents.length} documents has a token to predict, expected at least one`,
  );
}

/**
 * Packed rows as a batch, padded on the right.
 *
 * @param options `length` is `T`; `padId` is the id of padding, default 0
 * @throws DataError where the parts of a row are longer than `length`, and where a batch has nothing to predict
 */
export function packedRows({
  length,
  padId = 0,
}: {
  length: number;
  padId?: number | undefined;
}): (examples: readonly PackedRow[]) => PackedBatch {
  checkWhole('length', length, 1);
  return (examples) => {
    const inputs = new Int32Array(examples.length * length).fill(padId);
    const targets = new Int32Array(inputs.length).fill(-100);
    const documents = new Int32Array(inputs.length);
    for (const [row, { parts }] of examples.entries()) {
      let at = row * length;
      const end = at + length;
      for (const [n, { ids, counted }] of parts.entries()) {
        if (at + ids.length - 1 > end) {
          const tokens = parts.reduce((sum, part) => sum + part.ids.length - 1, 0);
          throw new DataError(
            `row ${row} of a batch reads ${tokens} tokens, expected at most ${length}`,
          );
        }
        for (let i = 0; i + 1 < ids.length; i++, at++) {
          inputs[at] = ids[i]!;
          if (counted?.[i + 1] !== 0) targets[at] = ids[i + 1]!;
          documents[at] = n;
        }
      }
      documents.fill(parts.length, at, end);
    }
    if (targets.every((target) => target === -100)) {
      throw new DataError(
        `none of the ${examples.length} rows of a batch has a token to predict, expected at least one`,
      );
    }
    return { inputs, targets, documents, shape: [examples.length, length] };
  };
}
