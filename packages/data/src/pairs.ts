import { type PaddingOptions, padRows } from './collate.js';

/** A source sequence and its target sequence, as token ids. */
export interface SequencePair {
  readonly source: ArrayLike<number>;
  readonly target: ArrayLike<number>;
}

/** Source sequences and their target sequences, row by row. */
export interface SequencePairs {
  /** `[B, Ts]` */
  readonly sources: Int32Array;
  /** `[B, Ts]`, 1 where there is a token, 0 at padding. */
  readonly sourceMask: Int32Array;
  /** `[B, Tt]`, −100 at padding. */
  readonly targets: Int32Array;
  readonly shape: readonly [batch: number, sourceTokens: number, targetTokens: number];
}

/**
 * Pairs of sequences for an encoder-decoder, each side padded to its longest row.
 *
 * @param options `padId` is that of sources
 * @throws DataError for an empty row
 */
export function sequencePairs({
  padId,
}: Pick<PaddingOptions, 'padId'> = {}): (examples: readonly SequencePair[]) => SequencePairs {
  return (examples) => {
    const sources = padRows(
      examples.map(({ source }) => source),
      { padId },
    );
    const targets = padRows(
      examples.map(({ target }) => target),
      { padId: -100 },
    );
    return {
      sources: sources.ids,
      sourceMask: sources.mask,
      targets: targets.ids,
      shape: [examples.length, sources.shape[1], targets.shape[1]],
    };
  };
}
