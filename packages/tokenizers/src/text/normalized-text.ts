import { outgrown, roomFor } from '../limits.js';

/**
 * A text, or a part of one, as UTF-16 code units that normalizers rewrite, each with the place in the original
 * text that it comes from.
 */
export class NormalizedText {
  /** Code units that normalizers may make of it. */
  room: number = roomFor(0);
  units: Uint16Array = new Uint16Array(256);
  length = 0;
  /** Where the part begins in the original. */
  #base = 0;
  /** Where each unit begins and ends in the part; undefined while unit `i` is unit `i − #lead`. */
  #starts: Int32Array | undefined;
  #ends: Int32Array | undefined;
  /** Units put before the first character, which share its place. */
  #lead = 0;
  #leadEnd = 0;

  /** Takes a part of a text. */
  load(text: string, from = 0, to: number = text.length): void {
    const length = to - from;
    this.room = roomFor(length);
    this.#reserve(length);
    writeUnits(length === text.length ? text : text.slice(from, to), this.units);
    this.length = length;
    this.#base = from;
    this.#starts = undefined;
    this.#ends = undefined;
    this.#lead = 0;
  }

  /** Whether unit `i` is unit `i` of the part. */
  get aligned(): boolean {
    return this.#starts === undefined && this.#lead === 0;
  }

  get base(): number {
    return this.#base;
  }

  /** Where unit `i` begins in the original. */
  startOf(i: number): number {
    if (this.#starts) return this.#base + this.#starts[i]!;
    return this.#base + Math.max(0, i - this.#lead);
  }

  /** Where unit `i` ends in the original. */
  endOf(i: number): number {
    if (this.#ends) return this.#base + this.#ends[i]!;
    if (this.#lead === 0) return this.#base + i + 1;
    return this.#base + Math.max(this.#leadEnd, i + 1 - this.#lead);
  }

  /** The code point at unit `i`. */
  codePoint(i: number): number {
    return codePointAt(this.units, i, this.length);
  }

  /** The units `[from, to)` as a text of their own. */
  slice(from: number, to: number): NormalizedText {
    const part = new NormalizedText();
    this.#tabulate(this.length);
    part.units = this.units.slice(from, to);
    part.length = to - from;
    part.room = roomFor(to - from);
    part.#base = this.#base;
    part.#starts = this.#starts!.slice(from, to);
    part.#ends = this.#ends!.slice(from, to);
    return part;
  }

  /** The text as a string. */
  toString(): string {
    return unitsToString(this.units, 0, this.length);
  }

  /** Puts some text before the first character, with its place; nothing before an empty text. */
  prepend(text: string): void {
    if (this.length === 0 || text === '') return;
    const { length } = text;
    const first = sizeOf(this.codePoint(0));
    const aligned = this.aligned;
    if (!aligned) this.#tabulate(this.length);
    this.#reserve(this.length + length);
    this.units.copyWithin(length, 0, this.length);
    for (let i = 0; i < length; i++) this.units[i] = text.charCodeAt(i);
    this.length += length;
    if (aligned) {
      this.#lead = length;
      this.#leadEnd = first;
      return;
    }
    const [starts, ends] = [this.#starts!, this.#ends!];
    this.#starts = new Int32Array(this.length).fill(starts[0]!, 0, length);
    this.#ends = new Int32Array(this.length).fill(ends[0]!, 0, length);
    this.#starts.set(starts.subarray(0, this.length - length), length);
    this.#ends.set(ends.subarray(0, this.length - length), length);
  }

  /** Rewrites the text through `edit`, which keeps or puts each unit in order. */
  rewrite(edit: (out: Rewriter) => void): void {
    this.#tabulate(this.length);
    const out = new Rewriter(this.units, this.#starts!, this.#ends!, this.length, this.room);
    edit(out);
    this.units = out.units;
    this.#starts = out.starts;
    this.#ends = out.ends;
    this.length = out.length;
  }

  #tabulate(length: number): void {
    if (this.#starts) return;
    const starts = new Int32Array(length);
    const ends = new Int32Array(length);
    for (let i = 0; i < length; i++) {
      const size = codePointAt(this.units, i, length) > 0xffff ? 2 : 1;
      const start = this.startOf(i) - this.#base;
      const end = this.endOf(i + size - 1) - this.#base;
      starts.fill(start, i, i + size);
      ends.fill(end, i, i + size);
      i += size - 1;
    }
    this.#starts = starts;
    this.#ends = ends;
    this.#lead = 0;
  }

  #reserve(length: number): void {
    if (length <= this.units.length) return;
    if (length > this.room) throw outgrown('normalizer', this.room);
    const wider = new Uint16Array(Math.max(length, 2 * this.units.length));
    wider.set(this.units.subarray(0, this.length));
    this.units = wider;
  }
}

/** Writes a text anew, each unit with the place of one of the source's units. */
export class Rewriter {
  units: Uint16Array;
  starts: Int32Array;
  ends: Int32Array;
  length = 0;

  constructor(
    readonly source: Uint16Array,
    readonly sourceStarts: Int32Array,
    readonly sourceEnds: Int32Array,
    readonly sourceLength: number,
    readonly most: number,
  ) {
    const room = sourceLength + 16;
    this.units = new Uint16Array(room);
    this.starts = new Int32Array(room);
    this.ends = new Int32Array(room);
  }

  /** Copies the source's units `[from, to)`. */
  keep(from: number, to: number): void {
    this.#reserve(to - from);
    this.units.set(this.source.subarray(from, to), this.length);
    this.starts.set(this.sourceStarts.subarray(from, to), this.length);
    this.ends.set(this.sourceEnds.subarray(from, to), this.length);
    this.length += to - from;
  }

  /** Puts a code point with the place of a unit of the source; −1: the very beginning. */
  put(codePoint: number, place: number): void {
    this.#reserve(2);
    const start = place < 0 ? 0 : this.sourceStarts[place]!;
    const end = place < 0 ? 0 : this.sourceEnds[place]!;
    if (codePoint > 0xffff) {
      this.#unit(0xd800 + ((codePoint - 0x10000) >> 10), start, end);
      this.#unit(0xdc00 + ((codePoint - 0x10000) & 0x3ff), start, end);
    } else this.#unit(codePoint, start, end);
  }

  #unit(unit: number, start: number, end: number): void {
    this.units[this.length] = unit;
    this.starts[this.length] = start;
    this.ends[this.length] = end;
    this.length++;
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.units.length) return;
    if (needed > this.most) throw outgrown('normalizer', this.most);
    const room = Math.min(Math.max(needed, 2 * this.units.length), this.most);
    const units = new Uint16Array(room);
    units.set(this.units);
    this.units = units;
    for (const name of ['starts', 'ends'] as const) {
      const wider = new Int32Array(room);
      wider.set(this[name]);
      this[name] = wider;
    }
  }
}

/** The code point at unit `i` of `[0, end)`. */
export function codePointAt(units: Uint16Array, i: number, end: number): number {
  const unit = units[i]!;
  if ((unit & 0xfc00) !== 0xd800 || i + 1 >= end) return unit;
  const low = units[i + 1]!;
  return (low & 0xfc00) === 0xdc00 ? 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff) : unit;
}

const encoder = new TextEncoder();
/** The longest text that is looked at as ASCII first. */
const maxAscii = 4096;
const ascii = new Uint8Array(maxAscii);

/** Writes the code units of a text, those of ASCII by functions of the engine, which need not be compiled first. */
function writeUnits(text: string, units: Uint16Array): void {
  const { length } = text;
  if (length === 0) return;
  if (length <= maxAscii) {
    const { read, written } = encoder.encodeInto(text, ascii);
    if (read === length && written === length) {
      units.set(length < maxAscii ? ascii.subarray(0, length) : ascii);
      return;
    }
  }
  for (let i = 0; i < length; i++) units[i] = text.charCodeAt(i);
}

/** How many code units a code point takes. */
export const sizeOf = (codePoint: number): number => (codePoint > 0xffff ? 2 : 1);

/** Some code units as a string. */
export function unitsToString(units: Uint16Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i += 4096) {
    text += String.fromCharCode(...units.subarray(i, Math.min(end, i + 4096)));
  }
  return text;
}

/** The code units of a string. */
export function stringToUnits(text: string): Uint16Array {
  const units = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  return units;
}
