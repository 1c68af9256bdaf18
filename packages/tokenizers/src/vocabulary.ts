import { TokenizerError } from './errors.js';

const seed = 0x811c9dc5 | 0;
const prime = 0x01000193;

/** The hash of some code units, which may go on from the hash of those before. */
export function hashUnits(units: Uint16Array, start: number, end: number, hash: number = seed): number {
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ units[i]!, prime);
  return hash;
}

/** Spreads a hash over all its bits, as MurmurHash3 ends. */
export function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}

/** Tokens and their ids: one arena of code units and an open-addressing table, no object per token. */
export class Vocabulary {
  #units: Uint16Array = new Uint16Array(1024);
  #top = 0;
  /** Where the token of each id begins, and its length; −1 where an id has no token. */
  #places: Int32Array = new Int32Array(2 * 256).fill(-1);
  /** Hashes, and ids plus one; 0 is empty. */
  #table: Int32Array = new Int32Array(2 * 512);
  #count = 0;
  #end = 0;
  readonly #strings: string[] = [];

  /** A vocabulary of tokens in the order of their ids. */
  static of(tokens: Iterable<string>): Vocabulary {
    const vocabulary = new Vocabulary();
    let id = 0;
    for (const token of tokens) vocabulary.add(token, id++);
    return vocabulary;
  }

  /** How many tokens there are. */
  get size(): number {
    return this.#count;
  }

  /** The highest id plus one. */
  get end(): number {
    return this.#end;
  }

  /** @throws TokenizerError where the token or the id is there already */
  add(token: string, id: number): void {
    const start = this.reserve(token.length);
    for (let i = 0; i < token.length; i++) this.#units[start + i] = token.charCodeAt(i);
    this.commit(token.length, id);
  }

  /** Room for the units of the next token, which `arena` then takes from the returned place on. */
  reserve(length: number): number {
    if (this.#top + length > this.#units.length) {
      const wider = new Uint16Array(Math.max(this.#units.length * 2, this.#top + length));
      wider.set(this.#units.subarray(0, this.#top));
      this.#units = wider;
    }
    return this.#top;
  }

  /** The units of all tokens, one after the other; valid until the next `reserve`. */
  get arena(): Uint16Array {
    return this.#units;
  }

  /** Makes the units written after `reserve` the token of an id. */
  commit(length: number, id: number): void {
    const start = this.#top;
    const hash = hashUnits(this.#units, start, start + length);
    const known = this.#find(this.#units, start, start + length, hash);
    if (known >= 0) {
      throw new TokenizerError(
        `token '${this.token(known)}' stands twice, with ids ${known} and ${id}`,
      );
    }
    if (id < this.#end && this.#places[2 * id]! >= 0) {
      const token = String.fromCharCode(...this.#units.subarray(start, start + length));
      throw new TokenizerError(
        `id ${id} belongs to two tokens, '${this.token(id)}' and '${token}'`,
      );
    }
    if (2 * id >= this.#places.length) this.#growIds(id);
    this.#places[2 * id] = start;
    this.#places[2 * id + 1] = length;
    this.#top = start + length;
    this.#end = Math.max(this.#end, id + 1);
    this.#count++;
    if (this.#count * 4 > this.#table.length) this.#growTable();
    this.#enter(hash, id + 1);
  }

  /** The id of the token that some code units are, or −1. */
  find(units: Uint16Array, start: number, end: number): number {
    return this.#find(units, start, end, hashUnits(units, start, end));
  }

  /** As `find`, with the hash known. */
  findHashed(units: Uint16Array, start: number, end: number, hash: number): number {
    return this.#find(units, start, end, hash);
  }

  /** The id of a token, or undefined. */
  id(token: string): number | undefined {
    const units = new Uint16Array(token.length);
    for (let i = 0; i < token.length; i++) units[i] = token.charCodeAt(i);
    const id = this.find(units, 0, units.length);
    return id < 0 ? undefined : id;
  }

  /** The token of an id, or undefined. */
  token(id: number): string | undefined {
    const known = this.#strings[id];
    if (known !== undefined) return known;
    if (!(id >= 0 && id < this.#end) || this.#places[2 * id]! < 0) return undefined;
    let text = '';
    for (const unit of this.unitsOf(id)) text += String.fromCharCode(unit);
    if (this.#strings.length <= id) this.#strings.length = this.#end;
    this.#strings[id] = text;
    return text;
  }

  /** The code units of a token. */
  unitsOf(id: number): Uint16Array {
    const start = this.#places[2 * id]!;
    return this.#units.subarray(start, start + this.#places[2 * id + 1]!);
  }

  /** The first id that no token has, below the highest one, or undefined. */
  hole(): number | undefined {
    if (this.#count === this.#end) return undefined;
    let id = 0;
    while (this.#places[2 * id]! >= 0) id++;
    return id;
  }

  /** Tokens with their ids, in the order of the ids. */
  *entries(): Generator<[token: string, id: number]> {
    for (let id = 0; id < this.#end; id++) {
      const token = this.token(id);
      if (token !== undefined) yield [token, id];
    }
  }

  #find(units: Uint16Array, start: number, end: number, hash: number): number {
    const table = this.#table;
    const own = this.#units;
    const mask = table.length - 1;
    const length = end - start;
    for (let at = (spread(hash) << 1) & mask; ; at = (at + 2) & mask) {
      const id = table[at + 1]! - 1;
      if (id < 0) return -1;
      if (table[at] !== hash || this.#places[2 * id + 1] !== length) continue;
      const place = this.#places[2 * id]!;
      let i = 0;
      while (i < length && own[place + i] === units[start + i]) i++;
      if (i === length) return id;
    }
  }

  #enter(hash: number, value: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let at = (spread(hash) << 1) & mask;
    while (table[at + 1] !== 0) at = (at + 2) & mask;
    table[at] = hash;
    table[at + 1] = value;
  }

  #growTable(): void {
    const old = this.#table;
    this.#table = new Int32Array(2 * old.length);
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] !== 0) this.#enter(old[at]!, old[at + 1]!);
    }
  }

  #growIds(id: number): void {
    const wider = new Int32Array(Math.max(2 * this.#places.length, 2 * (id + 1))).fill(-1);
    wider.set(this.#places);
    this.#places = wider;
  }
}
