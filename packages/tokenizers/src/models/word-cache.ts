import type { Tokens } from '../text/tokens.js';
import { hashUnits, spread } from '../vocabulary.js';

const maxEntries = 2 ** 16;
const maxUnits = 2 ** 20;
/** Numbers per token: its id, and where it begins and ends in the word. */
const perToken = 3;
/** Numbers per entry: hash, start and length of the key, start and end of the values. */
const perEntry = 5;

/** The tokens of words seen before, by their code units. Begins anew when full. */
export class WordCache {
  /** Longer words are not kept. */
  static readonly maxLength = 256;

  /** Id, start and end of tokens, one after the other. */
  values: Int32Array = new Int32Array(2 ** 14);
  /** Where the values of the word found last begin and end. */
  from = 0;
  to = 0;
  #units: Uint16Array = new Uint16Array(2 ** 14);
  #entries: Int32Array = new Int32Array(perEntry * 2 ** 10);
  #table: Int32Array = new Int32Array(2 ** 12);
  #count = 0;
  #top = 0;
  #valueTop = 0;
  #hash = 0;

  /** Whether a word is here; then its values are in `values`, from `from` to `to`. */
  has(units: Uint16Array, start: number, end: number): boolean {
    const hash = hashUnits(units, start, end);
    this.#hash = hash;
    const [table, entries, keys] = [this.#table, this.#entries, this.#units];
    const mask = table.length - 1;
    const length = end - start;
    for (let at = spread(hash) & mask; ; at = (at + 1) & mask) {
      const entry = table[at]! - perEntry;
      if (entry < 0) return false;
      if (entries[entry] !== hash || entries[entry + 2] !== length) continue;
      const own = entries[entry + 1]! - start;
      let i = start;
      while (i < end && keys[own + i] === units[i]) i++;
      if (i < end) continue;
      this.from = entries[entry + 3]!;
      this.to = entries[entry + 4]!;
      return true;
    }
  }

  /** Keeps the first `count` tokens of `tokens` for the word that `has` just missed. */
  set(units: Uint16Array, start: number, end: number, tokens: Int32Array, count: number): void {
    const length = end - start;
    if (this.#count >= maxEntries || this.#top + length > maxUnits) this.#clear();
    this.#grow(length, count * perToken);
    this.#units.set(units.subarray(start, end), this.#top);
    this.values.set(tokens.subarray(0, count * perToken), this.#valueTop);
    const entry = this.#count * perEntry;
    this.#entries[entry] = this.#hash;
    this.#entries[entry + 1] = this.#top;
    this.#entries[entry + 2] = length;
    this.#entries[entry + 3] = this.#valueTop;
    this.#entries[entry + 4] = this.#valueTop + count * perToken;
    this.#top += length;
    this.#valueTop += count * perToken;
    this.#count++;
    this.#enter(entry);
  }

  #enter(entry: number): void {
    const mask = this.#table.length - 1;
    let at = spread(this.#entries[entry]!) & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = entry + perEntry;
  }

  #clear(): void {
    this.#table.fill(0);
    this.#count = 0;
    this.#top = 0;
    this.#valueTop = 0;
  }

  #grow(units: number, values: number): void {
    if (this.#top + units > this.#units.length) {
      const wider = new Uint16Array(2 * this.#units.length);
      wider.set(this.#units);
      this.#units = wider;
    }
    while (this.#valueTop + values > this.values.length) this.values = doubled(this.values);
    if ((this.#count + 1) * perEntry > this.#entries.length) this.#entries = doubled(this.#entries);
    if ((this.#count + 1) * 2 > this.#table.length) {
      this.#table = new Int32Array(2 * this.#table.length);
      for (let entry = 0; entry < this.#count * perEntry; entry += perEntry) this.#enter(entry);
    }
  }
}

/** The tokens that a model has just found in a word: id, start and end of each. */
export class FoundTokens {
  values: Int32Array = new Int32Array(3 * 64);
  count = 0;

  clear(): void {
    this.count = 0;
  }

  add(id: number, start: number, end: number): void {
    const at = 3 * this.count++;
    if (at === this.values.length) this.values = doubled(this.values);
    this.values[at] = id;
    this.values[at + 1] = start;
    this.values[at + 2] = end;
  }
}

/** Adds the tokens of a word, from the cache or as `compute` puts them into `found`. */
export function addWord(
  units: Uint16Array,
  start: number,
  end: number,
  { ids, bounds, words }: Tokens,
  word: number,
  cache: WordCache | undefined,
  found: FoundTokens,
  compute: (units: Uint16Array, start: number, end: number) => void,
): void {
  let values: Int32Array;
  let from = 0;
  let to: number;
  const cached = cache !== undefined && end - start <= WordCache.maxLength;
  if (cached && cache.has(units, start, end)) {
    values = cache.values;
    from = cache.from;
    to = cache.to;
  } else {
    found.clear();
    compute(units, start, end);
    values = found.values;
    to = 3 * found.count;
    if (cached) cache.set(units, start, end, values, found.count);
  }
  for (let i = from; i < to; i += 3) {
    ids.push(values[i]!);
    bounds.push(start + values[i + 1]!, start + values[i + 2]!);
    words.push(word);
  }
}

function doubled(array: Int32Array): Int32Array {
  const wider = new Int32Array(2 * array.length);
  wider.set(array);
  return wider;
}
