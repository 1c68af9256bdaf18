import { TokenizerError } from '../errors.js';
import { mismatch } from '../fields.js';
import { byteToken, utf8Byte, utf8Length } from '../text/bytes.js';
import { codePointAt, sizeOf, unitsToString } from '../text/normalized-text.js';
import type { Pieces } from '../text/pieces.js';
import type { Tokens } from '../text/tokens.js';
import { Trie } from '../text/trie.js';
import type { Vocabulary } from '../vocabulary.js';
import type { Model } from './model.js';
import { scoreAsRead } from './score.js';
import { addWord, FoundTokens, WordCache } from './word-cache.js';

/** How much less likely an unknown character is than the least likely token. */
const unknownPenalty = 10;

export interface UnigramOptions {
  /** The id of unknown characters; without it, such a character is an error. */
  unknownId?: number | undefined;
  /** An unknown character becomes the tokens `<0x00>` to `<0xFF>` of its UTF-8 bytes. */
  byteFallback?: boolean | undefined;
  /** Pieces that are never matched in text, such as control and byte pieces. */
  unmatched?: readonly number[] | undefined;
}

/**
 * Takes the tokens whose scores sum to most, found by Viterbi's algorithm.
 *
 * @see Kudo 2018, https://arxiv.org/abs/1804.10959
 */
export class Unigram implements Model {
  readonly #trie = new Trie();
  readonly #unmatched: ReadonlySet<number>;
  readonly #fallbackIds: Int32Array;
  readonly #unknownScore: number;
  /** The scores that are summed. */
  readonly #tokenScores: Float64Array;
  readonly #cache = new WordCache();
  readonly #found = new FoundTokens();
  /** By end: the best score, and the start and id of its last token. */
  #scores = new Float64Array(64);
  #starts = new Int32Array(64);
  #ids = new Int32Array(64);
  readonly #ofWord = (units: Uint16Array, start: number, end: number) =>
    this.#compute(units, start, end);

  /**
   * @param scores log-probabilities by id, as the file has them
   * @throws TokenizerError where the unknown id lies outside the vocabulary
   */
  constructor(
    readonly vocab: Vocabulary,
    readonly scores: Float64Array,
    readonly options: UnigramOptions = {},
  ) {
    const { unknownId } = options;
    if (unknownId !== undefined && unknownId >= vocab.size) {
      throw mismatch('model.unk_id', unknownId, `an id below ${vocab.size}`);
    }
    this.#tokenScores = scores.map(scoreAsRead);
    let least = Number.POSITIVE_INFINITY;
    this.#unmatched = new Set(options.unmatched);
    for (let id = 0; id < vocab.end; id++) {
      if (this.#unmatched.has(id)) continue;
      const units = vocab.unitsOf(id);
      if (units.length > 0) this.#trie.set(units, id);
      least = Math.min(least, this.#tokenScores[id]!);
    }
    this.#unknownScore = least - unknownPenalty;
    this.#fallbackIds = Int32Array.from({ length: 256 }, (_, b) => vocab.id(byteToken(b)) ?? -1);
  }

  tokenize(pieces: Pieces, tokens: Tokens, firstWord: number): void {
    pieces.writeBytes();
    const { bounds } = pieces;
    const { units } = pieces.text;
    const from = tokens.ids.length;
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
    for (let i = from; i < tokens.ids.length; i++) {
      if (tokens.ids[i] !== this.options.unknownId) continue;
      const text = unitsToString(units, tokens.bounds[2 * i]!, tokens.bounds[2 * i + 1]!);
      tokens.surfaces.set(i, text);
    }
  }

  toJSON(): Record<string, unknown> {
    return {
      type: 'Unigram',
      unk_id: this.options.unknownId ?? null,
      vocab: Array.from(this.vocab.entries(), ([token, id]) => [token, this.scores[id]]),
      byte_fallback: this.options.byteFallback ?? false,
      ...(this.options.unmatched && { unmatched_ids: this.options.unmatched }),
    };
  }

  #compute(units: Uint16Array, start: number, end: number): void {
    const length = end - start;
    this.#fillBest(units, start, end);
    const [starts, ids] = [this.#starts, this.#ids];
    const ends: number[] = [];
    for (let at = length; at > 0; at = starts[at]!) ends.push(at);
    ends.reverse();
    const { unknownId } = this.options;
    for (let i = 0; i < ends.length; i++) {
      const from = starts[ends[i]!]!;
      if (ids[ends[i]!] === unknownId) {
        // Neighbouring unknown characters are one token.
        while (i + 1 < ends.length && ids[ends[i + 1]!] === unknownId) i++;
        this.#addUnknown(units, start, from, ends[i]!);
      } else this.#found.add(ids[ends[i]!]!, from, ends[i]!);
    }
  }

  #fillBest(units: Uint16Array, start: number, end: number): void {
    const length = end - start;
    if (this.#scores.length <= length) {
      this.#scores = new Float64Array(2 * length);
      this.#starts = new Int32Array(2 * length);
      this.#ids = new Int32Array(2 * length);
    }
    const [best, starts, ids, trie, scores] = [
      this.#scores,
      this.#starts,
      this.#ids,
      this.#trie,
      this.#tokenScores,
    ];
    starts.fill(-1, 0, length + 1);
    best[0] = 0;
    for (let from = 0; from < length; ) {
      const size = sizeOf(codePointAt(units, start + from, end));
      const soFar = best[from]!;
      let single = false;
      let node = 0;
      for (let at = from; at < length; at++) {
        node = trie.step(node, units[start + at]!);
        if (node < 0) break;
        const id = trie.value(node);
        if (id < 0) continue;
        const score = scores[id]! + soFar;
        if (starts[at + 1]! < 0 || score > best[at + 1]!) {
          best[at + 1] = score;
          starts[at + 1] = from;
          ids[at + 1] = id;
        }
        single ||= at + 1 === from + size;
      }
      if (!single) {
        const at = from + size;
        const score = this.#unknownScore + soFar;
        if (starts[at]! < 0 || score > best[at]!) {
          best[at] = score;
          starts[at] = from;
          ids[at] = this.#unknownId(units, start + from, start + at);
        }
      }
      from += size;
    }
  }

  #unknownId(units: Uint16Array, start: number, end: number): number {
    const { unknownId } = this.options;
    if (unknownId !== undefined) return unknownId;
    throw new TokenizerError(
      `'${unitsToString(units, start, end)}' is not covered by any token, and the model has no 'unk_id'`,
    );
  }

  #addUnknown(units: Uint16Array, start: number, from: number, to: number): void {
    const found = this.#found;
    const id = this.vocab.find(units, start + from, start + to);
    const known = this.#unmatched.has(id) ? -1 : id;
    const bytes =
      known < 0 && this.options.byteFallback ? this.#bytesOf(units, start + from, start + to) : [];
    if (bytes.length > 0) for (const id of bytes) found.add(id, from, to);
    else found.add(known >= 0 ? known : this.options.unknownId!, from, to);
  }

  /** The tokens of a text's bytes; none where the vocabulary lacks one. */
  #bytesOf(units: Uint16Array, start: number, end: number): number[] {
    const ids: number[] = [];
    for (let i = start; i < end; ) {
      const codePoint = codePointAt(units, i, end);
      const length = utf8Length(codePoint);
      for (let k = 0; k < length; k++) {
        ids.push(this.#fallbackIds[utf8Byte(codePoint, k, length)]!);
      }
      i += sizeOf(codePoint);
    }
    return ids.includes(-1) ? [] : ids;
  }
}
