import { TokenizerError } from './errors.js';
import { stringToUnits, unitsToString } from './text/normalized-text.js';

/** The hash of no code units. */
export const hashSeed: number = 0x811c9dc5 | 0;

/** The hash of some code units and one more. */
export const hashUnit = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193);

/** The hash of some code units. */
export function hashUnits(units: Uint16Array, start: number, end: number): number {
  let hash = hashSeed;
  for (let i = start; i < end; i++) hash = hashUnit(hash, units[i]!);
  return hash;
}

/** Spreads a hash over all its bits, as MurmurHash3 ends. */
export function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}

/** Code units before each token in the arena: low and high half of its id, and its length. */
const header = 3;

/** Tokens and their ids, which may leave holes: one arena of code units and an open-addressing table, no object per token. */
export class Vocabulary {
  /** For each token its header and its code units. */
  #arena: Uint16Array;
  #top = 0;
  /** Where the units of the token of each id begin; −1 where an id has no token. */
  #places: Int32Array;
  /** Hashes, and where the units of their token begin; 0 is empty. */
  #table: Int32Array;
  #count = 0;
  #end = 0;
  readonly #strings: string[] = [];
  /** The tokens, by their place, whose id is that of another. */
  readonly #others = new Set<number>();

  /** @param expected tokens; there may be more */
  constructor(expected = 256) {
    const slots = 2 ** Math.ceil(Math.log2(2 * expected + 2));
    this.#arena = new Uint16Array(10 * expected);
    this.#places = new Int32Array(expected).fill(-1);
    this.#table = new Int32Array(2 * slots);
  }

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

  /**
   * Adds a token. One that is there already has its last id from then on; of two tokens with one id, that id is the first.
   *
   * @throws TokenizerError where the token is too long
   */
  add(token: string, id: number): void {
    const units = stringToUnits(token);
    this.addUnits(units, units.length, hashUnits(units, 0, units.length), id);
  }

  /** Adds the token that the first code units are, with their hash. */
  addUnits(units: Uint16Array, length: number, hash: number, id: number): void {
    if (length > 0xffff) {
      throw new TokenizerError(`token ${id} has ${length} code units; expected at most 65535`);
    }
    const slot = this.#slotOf(units, 0, length, hash);
    let place = this.#table[slot + 1]!;
    if (place > 0) this.#move(place, id);
    else {
      place = this.#append(units, length, id);
      this.#table[slot] = hash;
      this.#table[slot + 1] = place;
      if (++this.#count * 4 > this.#table.length) this.#growTable();
    }
    if (id >= this.#places.length) this.#growIds(id);
    if (this.#places[id]! < 0) this.#places[id] = place;
    else if (this.#places[id] !== place) this.#others.add(place);
    this.#end = Math.max(this.#end, id + 1);
  }

  /** Has an id that a token had before stand for it too: in lists of pieces, which hold the token twice. */
  alias(before: number, id: number): void {
    this.#places[before] = this.#places[id]!;
    this.#count++;
  }

  /** Whether some tokens have one id. */
  get hasShared(): boolean {
    return this.#others.size > 0;
  }

  /** Gives the token at a place of the arena another id; its old one is that of no token. */
  #move(place: number, id: number): void {
    const before = this.#idAt(place);
    if (this.#places[before] === place) {
      this.#places[before] = -1;
      delete this.#strings[before];
    }
    this.#others.delete(place);
    this.#arena[place - 3] = id & 0xffff;
    this.#arena[place - 2] = id >>> 16;
  }

  /** The id of the token that some code units are, or −1. */
  find(units: Uint16Array, start: number, end: number): number {
    return this.findHashed(units, start, end, hashUnits(units, start, end));
  }

  /** As `find`, with the hash known. */
  findHashed(units: Uint16Array, start: number, end: number, hash: number): number {
    const place = this.#table[this.#slotOf(units, start, end, hash) + 1]!;
    return place === 0 ? -1 : this.#idAt(place);
  }

  /** The slot of the token that some code units are, or the empty one that it would have. */
  #slotOf(units: Uint16Array, start: number, end: number, hash: number): number {
    const table = this.#table;
    const arena = this.#arena;
    const mask = table.length - 1;
    for (let at = (spread(hash) << 1) & mask; ; at = (at + 2) & mask) {
      const place = table[at + 1]!;
      if (place === 0) return at;
      if (table[at] === hash && equals(arena, place, units, start, end)) return at;
    }
  }

  #idAt(place: number): number {
    return this.#arena[place - 3]! | (this.#arena[place - 2]! << 16);
  }

  /** Whether some code units are the token of an id. */
  is(id: number, units: Uint16Array, start: number, end: number): boolean {
    const place = id >= 0 && id < this.#end ? this.#places[id]! : -1;
    return place >= 0 && equals(this.#arena, place, units, start, end);
  }

  /** The id of a token, or undefined. */
  id(token: string): number | undefined {
    const units = stringToUnits(token);
    const id = this.find(units, 0, units.length);
    return id < 0 ? undefined : id;
  }

  /** The token of an id, or undefined. */
  token(id: number): string | undefined {
    const known = this.#strings[id];
    if (known !== undefined) return known;
    if (!Number.isInteger(id) || id < 0 || id >= this.#end) return undefined;
    if (this.#places[id]! < 0) return undefined;
    const units = this.unitsOf(id);
    const text = unitsToString(units, 0, units.length);
    if (this.#strings.length <= id) this.#strings.length = this.#end;
    this.#strings[id] = text;
    return text;
  }

  /** The code units of a token. */
  unitsOf(id: number): Uint16Array {
    const place = this.#places[id]!;
    return this.#arena.subarray(place, place + this.#arena[place - 1]!);
  }

  /** For each id 1 where its token begins with a code unit. */
  beginningWith(unit: number): Uint8Array {
    const found = new Uint8Array(this.#end);
    for (let id = 0; id < found.length; id++) {
      const place = this.#places[id]!;
      if (place >= 0 && this.#arena[place - 1]! > 0 && this.#arena[place] === unit) found[id] = 1;
    }
    return found;
  }

  /** The last code unit of a token. */
  lastUnit(id: number): number {
    const place = this.#places[id]!;
    return this.#arena[place + this.#arena[place - 1]! - 1]!;
  }

  /** Tokens with their ids, in the order of the ids; those whose id is that of another at the end. */
  *entries(): Generator<[token: string, id: number]> {
    for (let id = 0; id < this.#end; id++) {
      const token = this.token(id);
      if (token !== undefined) yield [token, id];
    }
    for (const place of this.#others) {
      const end = place + this.#arena[place - 1]!;
      yield [unitsToString(this.#arena, place, end), this.#idAt(place)];
    }
  }

  #append(units: Uint16Array, length: number, id: number): number {
    const place = this.#top + header;
    if (place + length > this.#arena.length) {
      const wider = new Uint16Array(Math.max(2 * this.#arena.length, place + length));
      wider.set(this.#arena);
      this.#arena = wider;
    }
    const arena = this.#arena;
    arena[place - 3] = id & 0xffff;
    arena[place - 2] = id >>> 16;
    arena[place - 1] = length;
    for (let i = 0; i < length; i++) arena[place + i] = units[i]!;
    this.#top = place + length;
    return place;
  }

  #enter(hash: number, place: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let at = (spread(hash) << 1) & mask;
    while (table[at + 1] !== 0) at = (at + 2) & mask;
    table[at] = hash;
    table[at + 1] = place;
  }

  #growTable(): void {
    const old = this.#table;
    this.#table = new Int32Array(2 * old.length);
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] !== 0) this.#enter(old[at]!, old[at + 1]!);
    }
  }

  #growIds(id: number): void {
    const wider = new Int32Array(Math.max(2 * this.#places.length, id + 1)).fill(-1);
    wider.set(this.#places);
    this.#places = wider;
  }
}

/** Whether some code units are the token at a place of the arena. */
function equals(
  arena: Uint16Array,
  place: number,
  units: Uint16Array,
  start: number,
  end: number,
): boolean {
  const length = end - start;
  if (arena[place - 1] !== length) return false;
  for (let i = 0; i < length; i++) if (arena[place + i] !== units[start + i]) return false;
  return true;
}
