import type { Pieces } from '../text/pieces.js';

/** Cuts a text into pieces, which tokens do not cross; may rewrite it. */
export interface PreTokenizer {
  split(pieces: Pieces): void;
}
