import { Fields, mismatch } from './fields.js';
import { checkTokenLength, expectedId, idEnd } from './limits.js';
import type { Normalizer } from './normalizers/normalizer.js';
import { classOf, space, word } from './text/classes.js';
import { codePointAt, NormalizedText } from './text/normalized-text.js';
import { Trie } from './text/trie.js';
import type { Vocabulary } from './vocabulary.js';

/** A token that is matched in the text before the tokenizer's model runs. */
export interface AddedToken {
  id: number;
  content: string;
  /** Only where no letter or digit touches it. */
  singleWord: boolean;
  /** White space before or behind it belongs to it. */
  lstrip: boolean;
  rstrip: boolean;
  /** It is looked for in the normalized text. */
  normalized: boolean;
  /** `decode` leaves it out. */
  special: boolean;
  /** `never`: never matched in text; `verbatim`: matched without normalizing it, in normalized text. */
  matches?: 'never' | 'verbatim' | undefined;
}

/**
 * Reads `added_tokens`. As in the reference, a token has the id that the vocabulary gives it, or the next free one in the
 * order of the list, which in valid files is the id listed with it.
 */
export function readAddedTokens(value: unknown, path: string, vocab: Vocabulary): AddedToken[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw mismatch(path, value, 'an array');
  const tokens = new Map<number, AddedToken>();
  const ids = new Map<string, number>();
  let next = vocab.size;
  value.forEach((item, i) => {
    const fields = new Fields(item, `${path}[${i}]`);
    const special = fields.boolean('special', false);
    const token: AddedToken = {
      id: fields.id('id'),
      content: fields.string('content'),
      singleWord: fields.boolean('single_word', false),
      lstrip: fields.boolean('lstrip', false),
      rstrip: fields.boolean('rstrip', false),
      normalized: fields.boolean('normalized', !special),
      special,
      matches: fields.has('matches')
        ? fields.oneOf('matches', ['never', 'verbatim'] as const)
        : undefined,
    };
    if (token.id >= idEnd(vocab.size + value.length)) fields.refuse('id', expectedId);
    checkTokenLength(token.content, `${fields.path}.content`);
    if (token.content === '') return;
    const id = ids.get(token.content) ?? vocab.id(token.content) ?? next++;
    ids.set(token.content, id);
    tokens.set(id, { ...token, id });
  });
  return [...tokens.values()];
}

/** An added token as `tokenizer.json` holds it. */
export function addedTokenJson(token: AddedToken): Record<string, unknown> {
  const { id, content, singleWord, lstrip, rstrip, normalized, special, matches } = token;
  const json = { id, content, single_word: singleWord, lstrip, rstrip, normalized, special };
  return matches ? { ...json, matches } : json;
}

/** Up to this many characters are looked for one after the other. */
const fewFirsts = 4;

/** Finds added tokens: from left to right, the longest at each place. */
export class AddedTokenFinder {
  /** Where the token found last begins and ends, with the white space that belongs to it, and which it is. */
  start = 0;
  end = 0;
  token: AddedToken | undefined;
  /** Where to look for the next one: behind the token itself, as one may begin with the white space that it took. */
  after = 0;
  readonly #tokens: readonly AddedToken[];
  readonly #trie = new Trie();
  /** 1 for each code unit that some token begins with. */
  readonly #firsts = new Uint8Array(2 ** 16);
  /** These code units, where there are few. */
  readonly #fewFirsts: readonly string[] | undefined;

  /** @param normalizer writes the tokens as the text they are looked for in */
  constructor(tokens: readonly AddedToken[], normalizer?: Normalizer) {
    this.#tokens = tokens.filter(({ content, matches }) => content !== '' && matches !== 'never');
    const text = new NormalizedText();
    const firsts = new Set<number>();
    this.#tokens.forEach(({ content, matches }, i) => {
      text.load(content);
      if (matches !== 'verbatim') normalizer?.normalize(text);
      if (text.length === 0) return;
      this.#trie.set(text.units.subarray(0, text.length), i);
      firsts.add(text.units[0]!);
      this.#firsts[text.units[0]!] = 1;
    });
    if (firsts.size <= fewFirsts) {
      this.#fewFirsts = Array.from(firsts, (unit) => String.fromCharCode(unit));
    }
  }

  /** Whether the text has no code unit that a token begins with, as far as a quick look tells. */
  isAbsentFrom(text: string): boolean {
    return this.#fewFirsts !== undefined && !this.#fewFirsts.some((first) => text.includes(first));
  }

  get isEmpty(): boolean {
    return this.#tokens.length === 0;
  }

  /**
   * Finds the next token at or after `from`; it is empty if the one before it took all of it as white space.
   *
   * @param taken where the token before it ended, with the white space that belongs to it
   */
  next(units: Uint16Array, from: number, length: number, taken: number): boolean {
    const firsts = this.#firsts;
    for (let at = from; at < length; at++) {
      if (firsts[units[at]!] === 0) continue;
      let node = 0;
      let best = -1;
      let end = at;
      for (let i = at; i < length; i++) {
        node = this.#trie.step(node, units[i]!);
        if (node < 0) break;
        const value = this.#trie.value(node);
        if (value >= 0) {
          best = value;
          end = i + 1;
        }
      }
      if (best < 0) continue;
      const token = this.#tokens[best]!;
      if (token.singleWord && !standsAlone(units, at, end, length)) {
        at = end - 1;
        continue;
      }
      this.token = token;
      this.start = at;
      this.end = end;
      this.after = end;
      if (token.lstrip) {
        while (this.start > taken && isSpace(units[this.start - 1]!)) this.start--;
        this.start = Math.max(this.start, taken);
      }
      if (token.rstrip) while (this.end < length && isSpace(units[this.end]!)) this.end++;
      return true;
    }
    return false;
  }
}

const isSpace = (unit: number): boolean => (classOf(unit) & space) !== 0;

function standsAlone(units: Uint16Array, start: number, end: number, length: number): boolean {
  const isWord = (codePoint: number) => (classOf(codePoint) & word) !== 0;
  if (end < length && isWord(codePointAt(units, end, length))) return false;
  if (start === 0) return true;
  const low = units[start - 1]!;
  const pair = (low & 0xfc00) === 0xdc00 && start > 1;
  return !isWord(pair ? codePointAt(units, start - 2, start) : low);
}
