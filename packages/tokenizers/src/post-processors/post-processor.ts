import type { Encoding } from '../encoding.js';

/** An encoding on its way through the post-processors. */
export interface Part {
  encoding: Encoding;
  /** The text that its offsets lie in; empty for special tokens. */
  text: string;
}

/** Puts special tokens around texts, or mends offsets, once they are tokens. */
export interface PostProcessor {
  /** How many special tokens it adds. */
  added(pair: boolean): number;
  /**
   * Gives the parts of the final encoding in order.
   *
   * @param parts one for each text, or what the post-processor before made of them
   */
  process(parts: readonly Part[], addSpecialTokens: boolean): readonly Part[];
}
