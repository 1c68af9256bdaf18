import type { Pieces } from '../text/pieces.js';
import type { Tokens } from '../text/tokens.js';
import type { Vocabulary } from '../vocabulary.js';

/** Turns pieces of text into tokens. */
export interface Model {
  readonly vocab: Vocabulary;
  /** Adds the tokens of some pieces, with positions in the pieces' text; the first piece is word `firstWord`. */
  tokenize(pieces: Pieces, tokens: Tokens, firstWord: number): void;
  /** The model as `tokenizer.json` holds it. */
  toJSON(): Record<string, unknown>;
}
