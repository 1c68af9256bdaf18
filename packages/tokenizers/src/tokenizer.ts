import { type AddedToken, addedTokenJson, readAddedTokens } from './added-tokens.js';
import type { Bytes } from './as-bytes.js';
import { byteStream, type DecodeStream, windowStream } from './decode-stream.js';
import { appendBytes } from './decoders/byte-level.js';
import type { Decoder } from './decoders/decoder.js';
import { readDecoder } from './decoders/read.js';
import { Encoding } from './encoding.js';
import { Fields, isCount, mismatch } from './fields.js';
import { checkDepth, roomFor } from './limits.js';
import { readModel } from './models/read.js';
import { readNormalizer } from './normalizers/read.js';
import { type Padding, pad, readPadding } from './padding.js';
import { Pipeline } from './pipeline.js';
import type { Part, PostProcessor } from './post-processors/post-processor.js';
import { readPostProcessor } from './post-processors/read.js';
import { readPreTokenizer } from './pre-tokenizers/read.js';
import { readTokenizerBytes, readTokenizerObject, type TokenizerFile } from './tokenizer-file.js';
import { readTruncation, type Truncation, truncate } from './truncation.js';

/** A `tokenizer.json`. */
export type TokenizerJson = Record<string, unknown>;

export interface EncodeOptions {
  /** Puts the special tokens of the post-processor around the text; default true. */
  addSpecialTokens?: boolean | undefined;
  /** Cuts what is too long; default as `tokenizer.json` says, null for never. */
  truncation?: Truncation | null | undefined;
  /** Makes encodings equally long; default as `tokenizer.json` says, null for never. */
  padding?: Padding | null | undefined;
}

const noOptions: EncodeOptions = {};

export interface DecodeOptions {
  /** Leaves special tokens out; default true. */
  skipSpecialTokens?: boolean | undefined;
  /** The token for an id without one, as in a padded vocabulary; default none. */
  missingToken?: ((id: number) => string) | undefined;
}

/**
 * A tokenizer as Hugging Face's `tokenizer.json` describes it.
 *
 * @example
 * const tokenizer = await trainByteLevelBpe([text], { vocabSize: 1024 });
 * const { ids, offsets } = tokenizer.encode('Call me Ishmael.');
 * tokenizer.decode(ids); // 'Call me Ishmael.'
 */
export class Tokenizer {
  readonly #document: Readonly<Record<string, unknown>>;
  readonly #pipeline: Pipeline;
  readonly #postProcessor: PostProcessor | undefined;
  readonly #decoder: Decoder | undefined;
  readonly #added: readonly AddedToken[];
  readonly #addedByContent: ReadonlyMap<string, number>;
  /** The contents of special tokens; a token whose text is one of them is special, whatever its id. */
  readonly #special: ReadonlySet<string>;
  readonly #truncation: Truncation | undefined;
  readonly #padding: Padding | undefined;
  readonly #end: number;

  private constructor(file: TokenizerFile) {
    const { document, name } = file;
    const at = (field: string) => `${name}: ${field}`;
    if (document.version !== undefined && document.version !== '1.0') {
      throw mismatch(at('version'), document.version, '"1.0"');
    }
    for (const part of ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder']) {
      checkDepth(document[part], at(part));
    }
    const model = readModel(file);
    this.#document = document;
    this.#added = readAddedTokens(document.added_tokens, at('added_tokens'), model.vocab);
    this.#pipeline = new Pipeline(
      model,
      readNormalizer(document.normalizer, at('normalizer')),
      readPreTokenizer(document.pre_tokenizer, at('pre_tokenizer')),
      this.#added,
    );
    this.#postProcessor = readPostProcessor(document.post_processor, at('post_processor'));
    this.#decoder = readDecoder(document.decoder, at('decoder'));
    this.#addedByContent = new Map(this.#added.map(({ content, id }) => [content, id]));
    const special = this.#added.filter((token) => token.special);
    this.#special = new Set(special.map(({ content }) => content));
    this.#end = this.#added.reduce((end, { id }) => Math.max(end, id + 1), model.vocab.end);
    const fields = new Fields(document, name);
    if (fields.has('truncation')) this.#truncation = readTruncation(fields.object('truncation'));
    if (fields.has('padding')) this.#padding = readPadding(fields.object('padding'));
  }

  /**
   * Reads a parsed `tokenizer.json`.
   *
   * @throws TokenizerError naming the field, what it holds and what was expected
   */
  static fromJSON(json: unknown, name = 'tokenizer.json'): Tokenizer {
    return new Tokenizer(readTokenizerObject(json, name));
  }

  /**
   * Reads the bytes of a `tokenizer.json`: faster, and in less memory, than parsing it first.
   *
   * @throws TokenizerError naming the field, what it holds and what was expected
   */
  static fromBytes(bytes: Bytes, name = 'tokenizer.json'): Tokenizer {
    return new Tokenizer(readTokenizerBytes(bytes, name));
  }

  /** The `tokenizer.json` of this tokenizer. */
  toJSON(): TokenizerJson {
    const document = this.#document;
    return {
      version: '1.0',
      truncation: document.truncation ?? null,
      padding: document.padding ?? null,
      added_tokens: this.#added.map(addedTokenJson),
      normalizer: document.normalizer ?? null,
      pre_tokenizer: document.pre_tokenizer ?? null,
      post_processor: document.post_processor ?? null,
      decoder: document.decoder ?? null,
      model: this.#pipeline.model.toJSON(),
    };
  }

  /** The highest id plus one: the rows of an embedding. */
  get vocabSize(): number {
    return this.#end;
  }

  /** Whether texts are cut into words before they become tokens, so that `wordIds` of an encoding tell them apart. */
  get cutsWords(): boolean {
    return this.#pipeline.cutsWords;
  }

  /** The tokens found in the text before the model sees it. */
  get addedTokens(): readonly AddedToken[] {
    return this.#added;
  }

  tokenToId(token: string): number | undefined {
    return this.#addedByContent.get(token) ?? this.#pipeline.model.vocab.id(token);
  }

  idToToken(id: number): string | undefined {
    return this.#pipeline.decodedToken(id);
  }

  /** The token of each id; null for an id without one, as those that pad a model's vocabulary. */
  idsToTokens(ids: ArrayLike<number>): (string | null)[] {
    return Array.from(ids, (id) => this.idToToken(id) ?? null);
  }

  /**
   * The bytes that a token stands for, where tokens are bytes: of a byte-level vocabulary, or a byte such as
   * `<0x0A>`. One token may hold a part of a character only.
   *
   * @returns undefined for any other token, and for an id without one
   */
  tokenBytes(id: number): Uint8Array | undefined {
    const token = this.idToToken(id);
    if (token === undefined) return undefined;
    const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16));
    if (!this.#isByteLevel) return undefined;
    const bytes: number[] = [];
    appendBytes(token, bytes);
    return Uint8Array.from(bytes);
  }

  get #isByteLevel(): boolean {
    return (this.#document.decoder as { type?: unknown } | null | undefined)?.type === 'ByteLevel';
  }

  /** The tokens of a text. */
  encode(text: string, options: EncodeOptions = noOptions): Encoding {
    return this.#padded([this.#encode([text], options)], options)[0]!;
  }

  /** The tokens of a pair of texts, such as question and answer. */
  encodePair(first: string, second: string, options: EncodeOptions = {}): Encoding {
    return this.#padded([this.#encode([first, second], options)], options)[0]!;
  }

  /** The tokens of several texts or pairs, equally many where padding is on. */
  encodeBatch(
    texts: readonly (string | readonly [first: string, second: string])[],
    options: EncodeOptions = {},
  ): Encoding[] {
    if (!Array.isArray(texts)) {
      throw mismatch('encodeBatch: texts', texts, 'an array of texts or pairs');
    }
    const encodings = texts.map((text: string | readonly string[], i) => {
      if (typeof text === 'string') return this.#encode([text], options);
      if (Array.isArray(text) && text.length === 2) return this.#encode(text, options);
      throw mismatch(`encodeBatch: texts[${i}]`, text, 'a text or a pair of texts');
    });
    return this.#padded(encodings, options);
  }

  #encode(texts: readonly string[], options: EncodeOptions): Encoding {
    const truncation =
      options.truncation === undefined ? this.#truncation : (options.truncation ?? undefined);
    const { addSpecialTokens = true } = options;
    let parts: readonly Part[] = this.#parts(texts);
    const first = parts[0]!.encoding;
    if (truncation) {
      const added = addSpecialTokens ? (this.#postProcessor?.added(texts.length > 1) ?? 0) : 0;
      const encodings = parts.map(({ encoding }) => encoding);
      const cut = truncate(encodings, truncation, added);
      parts = cut.map((encoding, i) => ({ encoding, text: texts[i]! }));
    }
    parts = this.#postProcessor?.process(parts, addSpecialTokens) ?? parts;
    if (parts.length === 1) return parts[0]!.encoding;
    // A template may leave out both texts.
    if (parts.length === 0) return first.slice(0, 0);
    return Encoding.concat(parts.map(({ encoding }) => encoding));
  }

  /** The tokens of each text, of the type of its number. */
  #parts(texts: readonly string[]): Part[] {
    const parts: Part[] = [];
    for (const text of texts) {
      const encoding = Encoding.fromTokens(this.#pipeline.tokenize(text), this.#pipeline);
      const type = parts.length;
      const types = type === 0 ? undefined : encoding.ids.map(() => type);
      parts.push({ text, encoding: types ? encoding.with({ types }) : encoding });
    }
    return parts;
  }

  #padded(encodings: Encoding[], { padding = this.#padding }: EncodeOptions): Encoding[] {
    return padding ? pad(encodings, padding) : encodings;
  }

  /**
   * The text of tokens; bytes that are not UTF-8 become U+FFFD, and ids without a token become nothing.
   *
   * @throws TokenizerError for a value that is not an id
   */
  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    const tokens: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      const token = this.#decodable(ids[i]!, options, i);
      if (token !== undefined) tokens.push(token);
    }
    return this.#decoded(tokens);
  }

  /** Decodes token by token, never half a character. */
  decodeStream(options: DecodeOptions = {}): DecodeStream {
    const stream = this.#isByteLevel
      ? byteStream()
      : windowStream((tokens) => this.#decoded(tokens));
    return {
      push: (id) => {
        const token = this.#decodable(id, options);
        return token === undefined ? '' : stream.push(token);
      },
      end: () => stream.end(),
    };
  }

  #decoded(tokens: readonly string[]): string {
    if (!this.#decoder) return tokens.join(' ');
    const units = tokens.reduce((sum, { length }) => sum + length, 0);
    return this.#decoder.decode(tokens, roomFor(units)).join('');
  }

  /** The token of an id; undefined if there is none, or if it is special and special tokens are skipped. */
  #decodable(id: number, options: DecodeOptions, index?: number): string | undefined {
    const { skipSpecialTokens = true, missingToken } = options;
    const token = this.idToToken(id);
    if (token !== undefined) {
      return skipSpecialTokens && this.#special.has(token) ? undefined : token;
    }
    if (isCount(id)) return missingToken?.(id);
    throw mismatch(
      index === undefined ? 'decodeStream: id' : `decode: ids[${index}]`,
      id,
      'a whole number of at least 0',
    );
  }
}
