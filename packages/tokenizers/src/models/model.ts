import { TokenizerError } from '../errors.js';
import { unitsToString } from '../text/normalized-text.js';
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

/** The error for a text without a token if the vocabulary lacks the unknown token. */
export const missingUnknown = (
  units: Uint16Array,
  start: number,
  end: number,
  unknownToken: string,
): TokenizerError =>
  new TokenizerError(
    `encode: '${unitsToString(units, start, Math.min(end, start + 80))}' is not covered by any token, and the vocabulary lacks the unknown token '${unknownToken}'`,
  );
