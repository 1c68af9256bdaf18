import { stringToUnits } from '../text/normalized-text.js';
import type { Pieces } from '../text/pieces.js';
import type { Tokens } from '../text/tokens.js';
import { hashUnit, hashUnits, type Vocabulary } from '../vocabulary.js';
import { type Model, missingUnknown } from './model.js';
import { addWord, FoundTokens, WordCache } from './word-cache.js';

export interface WordPieceOptions {
  /** What a word becomes that the vocabulary cannot spell. */
  unknownToken: string;
  /** Stands before every token of a word but the first. */
  continuingPrefix: string;
  /** Longer words are unknown. */
  maxCharacters: number;
}

/**
 * Takes the longest token of the vocabulary that a word begins with, and again, until the word is used up.
 *
 * @see Schuster and Nakajima 2012, Japanese and Korean Voice Search; Devlin et al. 2019, https://arxiv.org/abs/1810.04805
 */
export class WordPiece implements Model {
  readonly #prefix: Uint16Array;
  /** The id of the unknown token; −1 where the vocabulary lacks it. */
  readonly #unknown: number;
  readonly #longest: number;
  readonly #cache = new WordCache();
  readonly #found = new FoundTokens();
  /** The prefix, and behind it what is left of a word. */
  #scratch = new Uint16Array(256);
  readonly #ofWord = (units: Uint16Array, start: number, end: number) =>
    this.#compute(units, start, end);

  constructor(
    readonly vocab: Vocabulary,
    readonly options: WordPieceOptions,
  ) {
    this.#unknown = vocab.id(options.unknownToken) ?? -1;
    this.#prefix = stringToUnits(options.continuingPrefix);
    let longest = 0;
    for (const [token] of vocab.entries()) longest = Math.max(longest, token.length);
    this.#longest = longest;
  }

  /** @throws TokenizerError for an unknown word where the vocabulary lacks the unknown token */
  tokenize(pieces: Pieces, tokens: Tokens, firstWord: number): void {
    pieces.writeBytes();
    const { bounds } = pieces;
    const { units } = pieces.text;
    for (let i = 0; i < bounds.length; i += 2) {
      const word = firstWord + (i >> 1);
      addWord(
        units,
        bounds[i]!,
        bounds[i + 1]!,
        tokens,
        word,
        this.#cache,
        this.#found,
        this.#ofWord,
      );
    }
  }

  toJSON(): Record<string, unknown> {
    const { unknownToken, continuingPrefix, maxCharacters } = this.options;
    return {
      type: 'WordPiece',
      unk_token: unknownToken,
      continuing_subword_prefix: continuingPrefix,
      max_input_chars_per_word: maxCharacters,
      vocab: Object.fromEntries(this.vocab.entries()),
    };
  }

  #compute(units: Uint16Array, start: number, end: number): void {
    const length = end - start;
    const found = this.#found;
    if (charactersIn(units, start, end) > this.options.maxCharacters) {
      this.#addUnknown(units, start, end);
      return;
    }
    const prefix = this.#prefix;
    if (this.#scratch.length < prefix.length + length) {
      this.#scratch = new Uint16Array(2 * (prefix.length + length));
    }
    const scratch = this.#scratch;
    scratch.set(units.subarray(start, end), prefix.length);
    for (let at = 0; at < length; ) {
      // From the second token on, the prefix stands where the token before it stood.
      const from = at === 0 ? prefix.length : at;
      if (at > 0) scratch.set(prefix, at);
      const [id, to] = this.#longestAt(from, prefix.length + at, prefix.length + length);
      if (id < 0) {
        found.clear();
        this.#addUnknown(units, start, end);
        return;
      }
      found.add(id, at, to - prefix.length);
      at = to - prefix.length;
    }
  }

  #addUnknown(units: Uint16Array, start: number, end: number): void {
    if (this.#unknown < 0) {
      throw missingUnknown(units, start, end, this.options.unknownToken);
    }
    this.#found.add(this.#unknown, 0, end - start);
  }

  /** The longest token that begins at `from` and ends behind `after`, and where it ends. */
  #longestAt(from: number, after: number, end: number): [id: number, to: number] {
    const scratch = this.#scratch;
    let hash = hashUnits(scratch, from, after);
    let best = -1;
    let to = after;
    const limit = Math.min(end, from + this.#longest);
    for (let at = after; at < limit; at++) {
      hash = hashUnit(hash, scratch[at]!);
      const id = this.vocab.findHashed(scratch, from, at + 1, hash);
      if (id >= 0) {
        best = id;
        to = at + 1;
      }
    }
    return [best, to];
  }
}

function charactersIn(units: Uint16Array, start: number, end: number): number {
  let count = end - start;
  for (let i = start; i < end; i++) if ((units[i]! & 0xfc00) === 0xdc00) count--;
  return count;
}
