import type { Pieces } from '../text/pieces.js';

/** Cuts a text into pieces, which tokens do not cross; may rewrite it. */
export interface PreTokenizer {
  /** @param first the text is the beginning of the whole text */
  split(pieces: Pieces, first: boolean): void;
}
