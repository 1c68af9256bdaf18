import type { Tokens } from '../text/tokens.js';

/** Where the cache begins anew: this many numbers, 16 MiB. */
const maxNumbers = 2 ** 22;
/** Numbers of a record in front of its key: hash, length of the key, number of tokens. */
const header = 3;

/** The tokens of words seen before, by their code units, two to a number. Begins anew when full. */
export class WordCache {
  /** Longer words are not kept. */
  static readonly maxLength = 256;

  /** Records one behind the other: header, key, and for each token its id and its start and end in the word. */
  records: Int32Array = new Int32Array(2 ** 14);
  #top = 1;
  /** Where the record of each hash begins; 0 is empty. */
  #table: Int32Array = new Int32Array(2 ** 12);
  #count = 0;
  #hash = 0;

  /** Where the tokens of a word begin in `records`, or 0 where it is not known. */
  find(units: Uint16Array, start: number, end: number): number {
    const { records } = this;
    const table = this.#table;
    const hash = hashPairs(units, start, end);
    this.#hash = hash;
    const mask = table.length - 1;
    const length = end - start;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const record = table[at]!;
      if (record === 0) return 0;
      if (records[record] !== hash || records[record + 1] !== length) continue;
      let key = record + header;
      let i = start;
      while (i + 1 < end && records[key] === (units[i]! | (units[i + 1]! << 16))) {
        i += 2;
        key++;
      }
      if (i + 1 === end && records[key] === units[i]) return key + 1;
      if (i === end) return key;
    }
  }

  /** How many tokens begin at a place that `find` gave for a word of a length. */
  countAt(place: number, length: number): number {
    return this.records[place - ((length + 1) >> 1) - 1]!;
  }

  /** Keeps the tokens of the word that `find` just missed. */
  add(units: Uint16Array, start: number, end: number, { values, count }: FoundTokens): void {
    const length = end - start;
    const size = header + ((length + 1) >> 1) + 2 * count;
    if (this.#top + size > maxNumbers) this.#clear();
    while (this.#top + size > this.records.length) this.records = doubled(this.records);
    if (2 * ++this.#count > this.#table.length) this.#growTable();
    const { records } = this;
    let at = this.#top;
    this.#enter(this.#hash, at);
    records[at++] = this.#hash;
    records[at++] = length;
    records[at++] = count;
    for (let i = start; i < end; i += 2) {
      records[at++] = i + 1 < end ? units[i]! | (units[i + 1]! << 16) : units[i]!;
    }
    for (let i = 0; i < 2 * count; i++) records[at++] = values[i]!;
    this.#top = at;
  }

  #enter(hash: number, record: number): void {
    const mask = this.#table.length - 1;
    let at = hash & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = record;
  }

  #clear(): void {
    this.#table.fill(0);
    this.#count = 0;
    this.#top = 1;
  }

  #growTable(): void {
    const old = this.#table;
    this.#table = new Int32Array(2 * old.length);
    for (const record of old) if (record !== 0) this.#enter(this.records[record]!, record);
  }
}

function hashPairs(units: Uint16Array, start: number, end: number): number {
  let hash = end - start;
  let i = start;
  for (; i + 1 < end; i += 2) {
    hash = Math.imul(hash ^ (units[i]! | (units[i + 1]! << 16)), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  if (i < end) hash = Math.imul(hash ^ units[i]!, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

/** The tokens that a model has just found in a word. */
export class FoundTokens {
  /** For each token its id, and its start and end in the word. */
  values: Int32Array = new Int32Array(2 * 64);
  /** Ends of words too long for a start and an end in one number. */
  #ends: Int32Array = new Int32Array(64);
  count = 0;

  clear(): void {
    this.count = 0;
  }

  add(id: number, start: number, end: number): void {
    const { count } = this;
    if (count === this.#ends.length) {
      this.values = doubled(this.values);
      this.#ends = doubled(this.#ends);
    }
    this.values[2 * count] = id;
    this.values[2 * count + 1] = end <= WordCache.maxLength ? (start << 16) | end : start;
    this.#ends[count] = end;
    this.count++;
  }

  id(i: number): number {
    return this.values[2 * i]!;
  }

  start(i: number): number {
    const value = this.values[2 * i + 1]!;
    return this.#ends[i]! <= WordCache.maxLength ? value >> 16 : value;
  }

  end(i: number): number {
    return this.#ends[i]!;
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
  const length = end - start;
  const cached = cache !== undefined && length <= WordCache.maxLength;
  const place = cached ? cache.find(units, start, end) : 0;
  if (cached && place > 0) {
    const { records } = cache;
    const to = place + 2 * cache.countAt(place, length);
    for (let i = place; i < to; i += 2) {
      const places = records[i + 1]!;
      const n = ids.length;
      ids[n] = records[i]!;
      words[n] = word;
      bounds[2 * n] = start + (places >> 16);
      bounds[2 * n + 1] = start + (places & 0xffff);
    }
    return;
  }
  found.clear();
  compute(units, start, end);
  if (cached) cache.add(units, start, end, found);
  for (let i = 0; i < found.count; i++) {
    ids.push(found.id(i));
    bounds.push(start + found.start(i), start + found.end(i));
    words.push(word);
  }
}

function doubled(array: Int32Array): Int32Array {
  const wider = new Int32Array(2 * array.length);
  wider.set(array);
  return wider;
}
