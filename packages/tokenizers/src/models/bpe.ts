import { TokenizerError } from '../errors.js';
import { mismatch } from '../fields.js';
import { byteToChar, byteToken, byteToUnit, utf8Byte, utf8Length } from '../text/bytes.js';
import { codePointAt, sizeOf, unitsToString } from '../text/normalized-text.js';
import type { Pieces } from '../text/pieces.js';
import type { Tokens } from '../text/tokens.js';
import type { Vocabulary } from '../vocabulary.js';
import { Symbols } from './merge.js';
import type { MergeTable } from './merge-table.js';
import { type Model, missingUnknown } from './model.js';
import { boundariesBefore } from './word-boundaries.js';
import { addWord, FoundTokens, WordCache } from './word-cache.js';

export interface BpeOptions {
  /** What a character without a token becomes; without it, such a character is left out. */
  unknownToken?: string | undefined;
  /** Stands before every symbol but a word's first. */
  continuingPrefix?: string | undefined;
  /** Stands behind a word's last symbol. */
  endSuffix?: string | undefined;
  /** Neighbouring unknown characters are one token. */
  fuseUnknown?: boolean | undefined;
  /** A character without a token becomes the tokens `<0x00>` to `<0xFF>` of its UTF-8 bytes. */
  byteFallback?: boolean | undefined;
  /** A word that is a token is that token, whatever the merges say. */
  ignoreMerges?: boolean | undefined;
  /** The probability that a merge is passed over. */
  dropout?: number | undefined;
  random?: (() => number) | undefined;
}

const lowLine = 0x2581;
/** The longest word, in UTF-16 code units, whose symbols fit into memory. */
const maxWord = 2 ** 25;

/**
 * Byte-pair encoding: joins the pair of neighbours that was learned first, until none is left.
 *
 * @see Sennrich, Haddow and Birch 2016, https://arxiv.org/abs/1508.07909
 * @see Provilkov, Emelianenko and Voita 2020, https://arxiv.org/abs/1910.13267, for dropout
 */
export class Bpe implements Model {
  readonly #options: BpeOptions;
  /** The id of the unknown token; −1 where the vocabulary lacks it. */
  readonly #unknown: number;
  /** For each byte the id of its character, by its place in the word: plain, not first, last, last and not first. */
  readonly #byteIds: readonly Int32Array[];
  readonly #fallbackIds: Int32Array;
  readonly #cuts: Uint8Array | undefined;
  readonly #textCache: WordCache | undefined;
  readonly #byteCache: WordCache | undefined;
  readonly #symbols = new Symbols();
  readonly #found = new FoundTokens();
  readonly #ofText = (units: Uint16Array, start: number, end: number) =>
    this.#compute(units, start, end, false);
  readonly #ofBytes = (units: Uint16Array, start: number, end: number) =>
    this.#compute(units, start, end, true);
  /** Whether bytes can be read without their printable characters, which a fallback would spell. */
  readonly #readsBytes: boolean;
  /** Start, or −1, and end of an unknown character that is not a symbol yet. */
  #unknownStart = -1;
  #unknownEnd = 0;
  #scratch = new Uint16Array(64);

  constructor(
    readonly vocab: Vocabulary,
    readonly merges: MergeTable,
    options: BpeOptions = {},
  ) {
    this.#options = options;
    const { unknownToken, byteFallback, ignoreMerges, continuingPrefix, endSuffix } = options;
    const { dropout = 0 } = options;
    this.#unknown = unknownToken === undefined ? -1 : (vocab.id(unknownToken) ?? -1);
    if (!(dropout >= 0 && dropout <= 1)) throw mismatch('model.dropout', dropout, '0 to 1');
    this.#byteIds = affixes(options).map(([prefix, suffix]) =>
      Int32Array.from(byteToChar, (char) => vocab.id(prefix + char + suffix) ?? -1),
    );
    this.#readsBytes = !byteFallback || this.#byteIds.every((ids) => !ids.includes(-1));
    this.#fallbackIds = Int32Array.from({ length: 256 }, (_, b) => vocab.id(byteToken(b)) ?? -1);
    if (dropout === 0) {
      this.#textCache = new WordCache();
      this.#byteCache = new WordCache();
      if (!ignoreMerges && !continuingPrefix && !endSuffix && !vocab.hasShared) {
        this.#cuts = boundariesBefore(lowLine, vocab, merges);
      }
    }
  }

  /** @throws TokenizerError for an unknown character where the vocabulary lacks the unknown token */
  tokenize(pieces: Pieces, tokens: Tokens, firstWord: number): void {
    if (!this.#readsBytes) pieces.writeBytes();
    const { bounds, bytes } = pieces;
    const { units } = pieces.text;
    const cache = bytes ? this.#byteCache : this.#textCache;
    const compute = bytes ? this.#ofBytes : this.#ofText;
    let word = firstWord;
    for (let i = 0; i < bounds.length; i += 2) {
      const start = bounds[i]!;
      const end = bounds[i + 1]!;
      if (this.#cuts && !bytes) this.#tokenizeInParts(units, start, end, tokens, word);
      else addWord(units, start, end, tokens, word, cache, this.#found, compute);
      word++;
    }
  }

  toJSON(): Record<string, unknown> {
    const { vocab, merges } = this;
    const { unknownToken, continuingPrefix, endSuffix, dropout } = this.#options;
    const { fuseUnknown = false, byteFallback = false, ignoreMerges = false } = this.#options;
    const list = merges.list.subarray(0, 3 * merges.size);
    return {
      type: 'BPE',
      dropout: dropout ?? null,
      unk_token: unknownToken ?? null,
      continuing_subword_prefix: continuingPrefix ?? null,
      end_of_word_suffix: endSuffix ?? null,
      fuse_unk: fuseUnknown,
      byte_fallback: byteFallback,
      ignore_merges: ignoreMerges,
      vocab: Object.fromEntries(vocab.entries()),
      merges: Array.from({ length: merges.size }, (_, rank) => [
        vocab.token(list[3 * rank]!),
        vocab.token(list[3 * rank + 1]!),
      ]),
    };
  }

  /** Cuts a text where no merge can cross, so that its words are found in the cache. */
  #tokenizeInParts(
    units: Uint16Array,
    start: number,
    end: number,
    tokens: Tokens,
    word: number,
  ): void {
    const cuts = this.#cuts!;
    const cache = this.#textCache;
    let from = start;
    for (let i = start + 1; i < end; i++) {
      if (units[i] === lowLine && cuts[units[i - 1]!] === 1) {
        addWord(units, from, i, tokens, word, cache, this.#found, this.#ofText);
        from = i;
      }
    }
    addWord(units, from, end, tokens, word, cache, this.#found, this.#ofText);
  }

  /** Puts the tokens of a word into `#found`. */
  #compute(units: Uint16Array, start: number, end: number, bytes: boolean): void {
    const whole = this.#options.ignoreMerges ? this.#findWord(units, start, end, bytes) : -1;
    if (whole >= 0) {
      this.#found.add(whole, 0, end - start);
      return;
    }
    if (end - start > maxWord) {
      throw new TokenizerError(
        `encode: text has a word of ${end - start} UTF-16 code units; expected at most ${maxWord}`,
      );
    }
    const symbols = this.#symbols;
    symbols.clear();
    this.#unknownStart = -1;
    if (bytes) this.#addBytes(units, start, end);
    else this.#addCharacters(units, start, end);
    if (this.#unknownStart >= 0) this.#flushUnknown();
    symbols.merge(this.merges, this.#options.dropout, this.#options.random);
    const { ids, starts, ends } = symbols;
    for (let i = 0; i < symbols.length; i++) this.#found.add(ids[i]!, starts[i]!, ends[i]!);
  }

  #findWord(units: Uint16Array, start: number, end: number, bytes: boolean): number {
    if (!bytes) return this.vocab.find(units, start, end);
    if (this.#scratch.length < 4 * (end - start))
      this.#scratch = new Uint16Array(8 * (end - start));
    let length = 0;
    for (let i = start; i < end; ) {
      const codePoint = codePointAt(units, i, end);
      const count = utf8Length(codePoint);
      for (let k = 0; k < count; k++) {
        this.#scratch[length++] = byteToUnit[utf8Byte(codePoint, k, count)]!;
      }
      i += sizeOf(codePoint);
    }
    return this.vocab.find(this.#scratch, 0, length);
  }

  #addBytes(units: Uint16Array, start: number, end: number): void {
    for (let i = start; i < end; ) {
      const codePoint = codePointAt(units, i, end);
      const size = sizeOf(codePoint);
      const count = utf8Length(codePoint);
      const from = i - start;
      const to = from + size;
      for (let k = 0; k < count; k++) {
        const place = (from + k > 0 ? 1 : 0) + (i + size === end && k + 1 === count ? 2 : 0);
        const id = this.#byteIds[place]![utf8Byte(codePoint, k, count)]!;
        if (id >= 0) this.#addKnown(id, from, to);
        else this.#addUnknown(from, to, units, i);
      }
      i += size;
    }
  }

  #addCharacters(units: Uint16Array, start: number, end: number): void {
    const { byteFallback, continuingPrefix, endSuffix } = this.#options;
    for (let i = start; i < end; ) {
      const size = sizeOf(codePointAt(units, i, end));
      const from = i - start;
      const to = from + size;
      const prefix = from > 0 ? (continuingPrefix ?? '') : '';
      const suffix = i + size === end ? (endSuffix ?? '') : '';
      const plain = prefix === '' && suffix === '';
      const known = plain ? this.vocab.find(units, i, i + size) : -1;
      if (known >= 0) this.#addKnown(known, from, to);
      else {
        const symbol = prefix + unitsToString(units, i, i + size) + suffix;
        const id = plain ? -1 : (this.vocab.id(symbol) ?? -1);
        if (id >= 0) this.#addKnown(id, from, to);
        else if (!(byteFallback && this.#addFallback(symbol, from, to))) {
          this.#addUnknown(from, to, units, i);
        }
      }
      i += size;
    }
  }

  #addKnown(id: number, start: number, end: number): void {
    if (this.#unknownStart >= 0) this.#flushUnknown();
    this.#symbols.add(id, start, end);
  }

  /** Adds the bytes of a character with its affixes; as in the reference, in front of an unknown one that waits. */
  #addFallback(text: string, start: number, end: number): boolean {
    const ids = Array.from(encoder.encode(text), (byte) => this.#fallbackIds[byte]!);
    if (ids.includes(-1)) return false;
    for (const id of ids) this.#symbols.add(id, start, end);
    return true;
  }

  /** Has an unknown character wait, as the next one may be one token with it. */
  #addUnknown(start: number, end: number, units: Uint16Array, at: number): void {
    const { unknownToken, fuseUnknown } = this.#options;
    if (unknownToken === undefined) return;
    if (this.#unknown < 0) {
      throw missingUnknown(units, at, at + end - start, unknownToken);
    }
    if (!(fuseUnknown && this.#unknownStart >= 0)) {
      this.#flushUnknown();
      this.#unknownStart = start;
    }
    this.#unknownEnd = end;
  }

  #flushUnknown(): void {
    if (this.#unknownStart < 0) return;
    this.#symbols.add(this.#unknown, this.#unknownStart, this.#unknownEnd);
    this.#unknownStart = -1;
  }
}

const encoder = new TextEncoder();

/** What stands around a symbol by its place in a word: plain, not first, last, last and not first. */
function affixes({ continuingPrefix = '', endSuffix = '' }: BpeOptions): [string, string][] {
  return [
    ['', ''],
    [continuingPrefix, ''],
    ['', endSuffix],
    [continuingPrefix, endSuffix],
  ];
}
