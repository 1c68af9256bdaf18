import { Bpe, type Merge } from './bpe.js';
import { byteToChar, fromByteChars, toByteChars, wordPattern } from './byte-level.js';
import { TokenizerError } from './errors.js';
import { readTokenizerJson, type TokenizerJson } from './json.js';

/** A text as tokens. */
export interface Encoding {
  ids: number[];
  tokens: string[];
  /** Where each token lies in the text, in UTF-16 code units, so that `text.slice(start, end)` gives it. */
  offsets: [start: number, end: number][];
}

/**
 * A byte-level BPE or character tokenizer in the form of Hugging Face's `tokenizer.json`.
 *
 * @example
 * const tokenizer = await trainByteLevelBpe([text], { vocabSize: 1024 });
 * const { ids, offsets } = tokenizer.encode('Call me Ishmael.');
 * tokenizer.decode(ids); // 'Call me Ishmael.'
 */
export class Tokenizer {
  readonly #bpe: Bpe;
  readonly #tokens: string[] = [];
  readonly #json: TokenizerJson;
  readonly #byteLevel: boolean;

  private constructor(json: TokenizerJson) {
    const { vocab, merges, unk_token } = json.model;
    this.#json = json;
    this.#byteLevel = json.pre_tokenizer !== null;
    for (const [token, id] of Object.entries(vocab)) this.#tokens[id] = token;
    const pairs = merges.map((merge): Merge => [merge[0], merge[1]]);
    this.#bpe = new Bpe(new Map(Object.entries(vocab)), pairs, unk_token ?? undefined);
  }

  /**
   * Reads a `tokenizer.json`.
   *
   * @throws TokenizerError naming the field, what it holds and what was expected
   */
  static fromJSON(json: unknown, name = 'tokenizer.json'): Tokenizer {
    return new Tokenizer(readTokenizerJson(json, name));
  }

  /** The `tokenizer.json` of this tokenizer. */
  toJSON(): TokenizerJson {
    return this.#json;
  }

  get vocabSize(): number {
    return this.#tokens.length;
  }

  tokenToId(token: string): number | undefined {
    return this.#bpe.vocab.get(token);
  }

  idToToken(id: number): string | undefined {
    return this.#tokens[id];
  }

  /** The tokens of a text. */
  encode(text: string): Encoding {
    if (typeof text !== 'string') {
      throw new TokenizerError(`encode: text is ${JSON.stringify(text)}; expected a string`);
    }
    const encoding: Encoding = { ids: [], tokens: [], offsets: [] };
    if (!this.#byteLevel) {
      this.#encodeWord(text, 0, encoding);
      return encoding;
    }
    for (const match of text.matchAll(wordPattern)) {
      this.#encodeWord(match[0], match.index, encoding);
    }
    return encoding;
  }

  #encodeWord(word: string, start: number, { ids, tokens, offsets }: Encoding): void {
    const starts = this.#byteLevel ? byteStarts(word) : charStarts(word);
    let at = 0;
    for (const id of this.#bpe.encode(this.#byteLevel ? toByteChars(word) : word)) {
      const token = this.#tokens[id]!;
      const next = at + (this.#byteLevel ? token.length : 1);
      ids.push(id);
      tokens.push(token);
      // The last byte's character belongs to the token whole.
      let end = next;
      while (end < starts.length - 1 && starts[end] === starts[next - 1]) end++;
      offsets.push([start + starts[at]!, start + starts[end]!]);
      at = next;
    }
  }

  /**
   * The text of tokens; bytes that are no UTF-8 become U+FFFD.
   *
   * @throws TokenizerError for an id outside the vocabulary
   */
  decode(ids: ArrayLike<number>): string {
    const decoder = this.decodeStream();
    let text = '';
    for (let i = 0; i < ids.length; i++) text += decoder.push(ids[i]!);
    return text + decoder.end();
  }

  /** Decodes token by token, never half a character. */
  decodeStream(): { push(id: number): string; end(): string } {
    const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
    return {
      push: (id) => {
        const token = this.#tokens[id];
        if (token === undefined) {
          throw new TokenizerError(
            `decode: id ${id} is outside the vocabulary of ${this.vocabSize} tokens`,
          );
        }
        return this.#byteLevel ? utf8.decode(fromByteChars(token), { stream: true }) : token;
      },
      end: () => (this.#byteLevel ? utf8.decode() : ''),
    };
  }
}

/** Where the character of each UTF-8 byte of a word begins; last, the word's end. */
function byteStarts(word: string): number[] {
  const starts: number[] = [];
  let at = 0;
  for (const char of word) {
    const code = char.codePointAt(0)!;
    const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (let i = 0; i < bytes; i++) starts.push(at);
    at += char.length;
  }
  starts.push(at);
  return starts;
}

/** Where each character of a word begins; last, the word's end. */
function charStarts(word: string): number[] {
  const starts = [0];
  for (const char of word) starts.push(starts.at(-1)! + char.length);
  return starts;
}

/** The symbols that byte-level training starts from, in the order of their characters. */
export const byteAlphabet: readonly string[] = [...byteToChar].sort();
