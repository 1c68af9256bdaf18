import { TokenizerError } from '../errors.js';
import { mismatch } from '../fields.js';
import { byteToken, byteToUnit, utf8Byte, utf8Length } from '../text/bytes.js';
import { codePointAt, sizeOf } from '../text/normalized-text.js';
import type { Pieces } from '../text/pieces.js';
import type { Tokens } from '../text/tokens.js';
import type { Vocabulary } from '../vocabulary.js';
import { Symbols } from './merge.js';
import type { MergeTable } from './merge-table.js';
import type { Model } from './model.js';
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
  fuseUnknown?: boolean;
  /** A character without a token becomes the tokens `<0x00>` to `<0xFF>` of its UTF-8 bytes. */
  byteFallback?: boolean;
  /** A word that is a token is that token, whatever the merges say. */
  ignoreMerges?: boolean;
  /** The probability that a merge is passed over. */
  dropout?: number;
  random?: () => number;
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
  readonly #unknown: number;
  readonly #byteIds: Int32Array;
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
  /** Which symbol is an unknown character, to be one token with the next one. */
  #unknownAt = -1;
  #scratch = new Uint16Array(64);

  /** @throws TokenizerError where the vocabulary lacks the unknown token */
  constructor(
    readonly vocab: Vocabulary,
    readonly merges: MergeTable,
    options: BpeOptions = {},
  ) {
    this.#options = options;
    const { unknownToken, dropout = 0, ignoreMerges, continuingPrefix, endSuffix } = options;
    this.#unknown = unknownToken === undefined ? -1 : (vocab.id(unknownToken) ?? -1);
    if (unknownToken !== undefined && this.#unknown < 0) {
      throw mismatch('model.unk_token', unknownToken, 'a token of the vocabulary');
    }
    if (!(dropout >= 0 && dropout <= 1)) throw mismatch('model.dropout', dropout, '0 to 1');
    this.#byteIds = Int32Array.from(byteToUnit, (_, byte) =>
      vocab.find(byteToUnit, byte, byte + 1),
    );
    this.#fallbackIds = Int32Array.from({ length: 256 }, (_, b) => vocab.id(byteToken(b)) ?? -1);
    if (dropout === 0) {
      this.#textCache = new WordCache();
      this.#byteCache = new WordCache();
      if (!ignoreMerges && !continuingPrefix && !endSuffix) {
        this.#cuts = boundariesBefore(lowLine, vocab, merges);
      }
    }
  }

  tokenize(pieces: Pieces, tokens: Tokens, firstWord: number): void {
    const { bounds, bytes } = pieces;
    const { units } = pieces.text;
    const cache = bytes ? this.#byteCache : this.#textCache;
    const compute = bytes ? this.#ofBytes : this.#ofText;
    let word = firstWord;
    for (let i = 0; i < bounds.length; i += 2) {
      const [start, end] = [bounds[i]!, bounds[i + 1]!];
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
    this.#unknownAt = -1;
    if (bytes) this.#addBytes(units, start, end);
    else this.#addCharacters(units, start, end);
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
    const [symbols, byteIds] = [this.#symbols, this.#byteIds];
    for (let i = start; i < end; ) {
      const codePoint = codePointAt(units, i, end);
      const size = sizeOf(codePoint);
      const count = utf8Length(codePoint);
      for (let k = 0; k < count; k++) {
        const id = byteIds[utf8Byte(codePoint, k, count)]!;
        if (id >= 0) symbols.add(id, i - start, i - start + size);
        else if (this.#unknown >= 0) this.#addUnknown(i - start, i - start + size);
      }
      i += size;
    }
  }

  #addCharacters(units: Uint16Array, start: number, end: number): void {
    const { byteFallback } = this.#options;
    for (let i = start; i < end; ) {
      const codePoint = codePointAt(units, i, end);
      const size = sizeOf(codePoint);
      const id = this.#characterId(units, i, i + size, i === start, i + size === end);
      const [from, to] = [i - start, i + size - start];
      if (id >= 0) this.#symbols.add(id, from, to);
      else if (!(byteFallback && this.#addFallback(codePoint, from, to)) && this.#unknown >= 0) {
        this.#addUnknown(from, to);
      }
      i += size;
    }
  }

  #characterId(
    units: Uint16Array,
    from: number,
    to: number,
    first: boolean,
    last: boolean,
  ): number {
    const { continuingPrefix, endSuffix } = this.#options;
    if (!(continuingPrefix && !first) && !(endSuffix && last))
      return this.vocab.find(units, from, to);
    const text = String.fromCharCode(...units.subarray(from, to));
    const prefix = first ? '' : (continuingPrefix ?? '');
    return this.vocab.id(prefix + text + (last ? (endSuffix ?? '') : '')) ?? -1;
  }

  #addFallback(codePoint: number, start: number, end: number): boolean {
    const count = utf8Length(codePoint);
    for (let k = 0; k < count; k++) {
      if (this.#fallbackIds[utf8Byte(codePoint, k, count)]! < 0) return false;
    }
    for (let k = 0; k < count; k++) {
      this.#symbols.add(this.#fallbackIds[utf8Byte(codePoint, k, count)]!, start, end);
    }
    return true;
  }

  #addUnknown(start: number, end: number): void {
    const symbols = this.#symbols;
    const last = symbols.length - 1;
    if (this.#options.fuseUnknown && last >= 0 && this.#unknownAt === last)
      symbols.ends[last] = end;
    else {
      symbols.add(this.#unknown, start, end);
      this.#unknownAt = last + 1;
    }
  }
}
