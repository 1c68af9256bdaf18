import type { Encoding } from '../encoding.js';

/** Puts special tokens around texts, or mends offsets, once they are tokens. */
export interface PostProcessor {
  /** How many special tokens it adds. */
  added(pair: boolean): number;
  /** Gives the parts of the final encoding in order. */
  process(
    encodings: readonly Encoding[],
    addSpecialTokens: boolean,
    texts: readonly string[],
  ): Encoding[];
}
