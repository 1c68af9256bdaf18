import { type PaddingOptions, padRows } from './collate.js';

/** A text as token ids, and the number of its class. */
export interface LabelledText {
  readonly ids: ArrayLike<number>;
  readonly label: number;
}

/** Texts with a class for each, row by row. */
export interface LabelledTexts {
  /** `[B, T]` */
  readonly inputs: Int32Array;
  /** `[B, T]`, 1 where there is a token, 0 at padding. */
  readonly mask: Int32Array;
  /** `[B]` */
  readonly labels: Int32Array;
  readonly shape: readonly [batch: number, tokens: number];
}

/**
 * Texts and their classes, for a model that classifies sequences.
 *
 * @throws DataError for an empty text, or one longer than `length`
 */
export function labelledTexts(
  options: PaddingOptions = {},
): (examples: readonly LabelledText[]) => LabelledTexts {
  return (examples) => {
    const { ids, mask, shape } = padRows(
      examples.map(({ ids }) => ids),
      options,
    );
    return { inputs: ids, mask, labels: Int32Array.from(examples, ({ label }) => label), shape };
  };
}
