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
  records: Int32Array = new Int32Array(2 ** 12);
  /** Where the record of each hash begins; 0 is empty. */
  table: Int32Array = new Int32Array(2 ** 10);
  #top = 1;
  #count = 0;

  /** Keeps the tokens of a word of a hash that is not there. */
  add(
    hash: number,
    units: Uint16Array,
    start: number,
    end: number,
    { values, count }: FoundTokens,
  ): void {
    const length = end - start;
    const size = header + ((length + 1) >> 1) + 2 * count;
    if (this.#top + size > maxNumbers) this.#clear();
    while (this.#top + size > this.records.length) this.records = doubled(this.records);
    if (2 * ++this.#count > this.table.length) this.#growTable();
    const { records } = this;
    let at = this.#top;
    this.#enter(hash, at);
    records[at++] = hash;
    records[at++] = length;
    records[at++] = count;
    for (let i = start; i < end; i += 2) {
      records[at++] = i + 1 < end ? units[i]! | (units[i + 1]! << 16) : units[i]!;
    }
    for (let i = 0; i < 2 * count; i++) records[at++] = values[i]!;
    this.#top = at;
  }

  #enter(hash: number, record: number): void {
    const { table } = this;
    const mask = table.length - 1;
    let at = hash & mask;
    while (table[at] !== 0) at = (at + 1) & mask;
    table[at] = record;
  }

  #clear(): void {
    this.table.fill(0);
    this.#count = 0;
    this.#top = 1;
  }

  #growTable(): void {
    const old = this.table;
    this.table = new Int32Array(2 * old.length);
    for (let i = 0; i < old.length; i++) {
      const record = old[i]!;
      if (record !== 0) this.#enter(this.records[record]!, record);
    }
  }
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

/**
 * Adds the tokens of a word, from the cache or as `compute` puts them into `found`.
 *
 * Most words of a text are found, so that their way is one function without calls: it is compiled as soon as it is hot, and not
 * when each function on the way is.
 */
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
  let hash = length;
  if (cached) {
    let i = start;
    for (; i + 1 < end; i += 2) {
      hash = Math.imul(hash ^ (units[i]! | (units[i + 1]! << 16)), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    if (i < end) hash = Math.imul(hash ^ units[i]!, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash ^= hash >>> 13;
    const { records, table } = cache;
    const mask = table.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const record = table[slot]!;
      if (record === 0) break;
      if (records[record] !== hash || records[record + 1] !== length) continue;
      let place = record + header;
      for (i = start; i + 1 < end; i += 2) {
        if (records[place] !== (units[i]! | (units[i + 1]! << 16))) break;
        place++;
      }
      if (i + 1 === end && records[place] === units[i]) {
        place++;
        i++;
      }
      if (i !== end) continue;
      const to = place + 2 * records[record + 2]!;
      for (; place < to; place += 2) {
        const places = records[place + 1]!;
        ids.push(records[place]!);
        words.push(word);
        bounds.push(start + (places >> 16), start + (places & 0xffff));
      }
      return;
    }
  }
  found.clear();
  compute(units, start, end);
  if (cached) cache.add(hash, units, start, end, found);
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
