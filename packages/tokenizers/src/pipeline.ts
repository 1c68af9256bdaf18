import { type AddedToken, AddedTokenFinder } from './added-tokens.js';
import { TokenizerError } from './errors.js';
import type { Model } from './models/model.js';
import type { Normalizer } from './normalizers/normalizer.js';
import type { PreTokenizer } from './pre-tokenizers/pre-tokenizer.js';
import { NormalizedText } from './text/normalized-text.js';
import { Pieces } from './text/pieces.js';
import { noTokens, type Tokens } from './text/tokens.js';
import type { TokenNames } from './token-names.js';

/** The longest text, in UTF-16 code units, whose tables fit into memory. */
const maxLength = 2 ** 27;

/** From a text to tokens: added tokens, normalizer, pre-tokenizer, model. */
export class Pipeline implements TokenNames {
  readonly #plainFinder: AddedTokenFinder;
  readonly #normalizedFinder: AddedTokenFinder;
  /** The added tokens by id, as they are looked for. */
  readonly #names: ReadonlyMap<number, string>;
  #text = new NormalizedText();
  #pieces = new Pieces(this.#text);

  constructor(
    readonly model: Model,
    readonly normalizer: Normalizer | undefined,
    readonly preTokenizer: PreTokenizer | undefined,
    added: readonly AddedToken[],
  ) {
    this.#plainFinder = new AddedTokenFinder(added.filter(({ normalized }) => !normalized));
    const normalized = added.filter((token) => token.normalized);
    this.#normalizedFinder = new AddedTokenFinder(normalized, normalizer);
    this.#names = new Map(added.map((token) => [token.id, this.#nameOf(token)]));
  }

  /** The token of an id as encodings show it: the vocabulary's, or that of an added token. */
  tokenOf(id: number): string | undefined {
    return this.model.vocab.token(id) ?? this.#names.get(id);
  }

  /** The token of an id as decoding takes it: that of an added token, normalized where it is looked for in normalized text. */
  decodedToken(id: number): string | undefined {
    return this.#names.get(id) ?? this.model.vocab.token(id);
  }

  /** Whether the words of a text are told apart: the two of `a b`. */
  get cutsWords(): boolean {
    const text = new NormalizedText();
    text.load('a b');
    this.normalizer?.normalize(text);
    const pieces = new Pieces(text);
    pieces.reset();
    this.preTokenizer?.split(pieces);
    return pieces.bounds.length > 2;
  }

  #nameOf({ content, normalized, matches }: AddedToken): string {
    if (!normalized || matches === 'verbatim' || !this.normalizer) return content;
    const text = new NormalizedText();
    text.load(content);
    this.normalizer.normalize(text);
    return text.toString();
  }

  /**
   * The tokens of a text, with places in the text.
   *
   * @throws TokenizerError where it is not a string, or longer than 2^27 code units
   */
  tokenize(text: string): Tokens {
    if (typeof text !== 'string') {
      throw new TokenizerError(`encode: text is ${JSON.stringify(text)}; expected a string`);
    }
    if (text.length > maxLength) {
      throw new TokenizerError(
        `encode: text has ${text.length} UTF-16 code units; expected at most ${maxLength}`,
      );
    }
    const tokens = noTokens();
    const sound = text.isWellFormed() ? text : text.toWellFormed();
    const buffer = this.#text;
    buffer.load(sound);
    const finder = this.#plainFinder;
    if (finder.isAbsentFrom(sound) || !finder.next(buffer.units, 0, buffer.length, 0)) {
      this.#segment(buffer, tokens, 0);
    } else this.#segments(sound, tokens);
    if (buffer.units.length > 2 ** 22) {
      this.#text = new NormalizedText();
      this.#pieces = new Pieces(this.#text);
    }
    return tokens;
  }

  /** Tokenizes what lies between added tokens; the finder has found the first one. */
  #segments(text: string, tokens: Tokens): void {
    const finder = this.#plainFinder;
    const whole = this.#text.units.slice(0, text.length);
    let from = 0;
    let word = 0;
    do {
      const { start, end, token } = finder;
      if (start > from) word = this.#load(text, from, start, tokens, word);
      if (start < end) this.#addToken(tokens, token!, start, end, word++, text.slice(start, end));
      from = end;
    } while (finder.next(whole, finder.after, text.length, from));
    if (from < text.length) this.#load(text, from, text.length, tokens, word);
  }

  #load(text: string, from: number, to: number, tokens: Tokens, word: number): number {
    this.#text.load(text, from, to);
    return this.#segment(this.#text, tokens, word);
  }

  /** Normalizes a part of the text, and looks for added tokens in it again; gives the number of the next word. */
  #segment(text: NormalizedText, tokens: Tokens, firstWord: number): number {
    this.normalizer?.normalize(text);
    const finder = this.#normalizedFinder;
    if (finder.isEmpty || !finder.next(text.units, 0, text.length, 0)) {
      return this.#words(text, tokens, firstWord);
    }
    let from = 0;
    let word = firstWord;
    do {
      const { start, end, token } = finder;
      if (start > from) word = this.#words(text.slice(from, start), tokens, word);
      if (start < end) {
        const surface = text.slice(start, end).toString();
        const [first, last] = [text.startOf(start), text.endOf(end - 1)];
        this.#addToken(tokens, token!, first, last, word++, surface);
      }
      from = end;
    } while (finder.next(text.units, finder.after, text.length, from));
    return from < text.length ? this.#words(text.slice(from, text.length), tokens, word) : word;
  }

  #words(text: NormalizedText, tokens: Tokens, firstWord: number): number {
    const pieces = text === this.#text ? this.#pieces : new Pieces(text);
    pieces.reset();
    if (text.length === 0) return firstWord;
    this.preTokenizer?.split(pieces);
    const from = tokens.ids.length;
    this.model.tokenize(pieces, tokens, firstWord);
    if (!text.aligned || text.base > 0) {
      const { bounds } = tokens;
      for (let i = 2 * from; i < bounds.length; i += 2) {
        const start = bounds[i]!;
        const end = bounds[i + 1]!;
        bounds[i] = text.startOf(start);
        bounds[i + 1] = text.endOf(Math.max(start, end - 1));
      }
    }
    return firstWord + pieces.bounds.length / 2;
  }

  #addToken(
    { ids, bounds, words, surfaces }: Tokens,
    token: AddedToken,
    start: number,
    end: number,
    word: number,
    surface: string,
  ): void {
    if (surface !== this.tokenOf(token.id)) surfaces.set(ids.length, surface);
    ids.push(token.id);
    bounds.push(start, end);
    words.push(word);
  }
}
