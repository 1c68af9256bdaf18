import { TokenizerError } from './errors.js';
import { hashSeed, hashUnit } from './vocabulary.js';

const quote = 0x22;
const backslash = 0x5c;
const escapes: Readonly<Record<number, number>> = {
  34: 0x22,
  92: 0x5c,
  47: 0x2f,
  98: 8,
  102: 12,
  110: 10,
  114: 13,
  116: 9,
};

/** Walks over JSON in UTF-8 without making objects of it. */
export class JsonBytes {
  at = 0;
  /** Where `string` writes. */
  units: Uint16Array = new Uint16Array(1024);
  /** The hash of the string read last. */
  hash = 0;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });

  /** @param name of the file, for errors */
  constructor(
    readonly bytes: Uint8Array,
    readonly name: string,
  ) {
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.at = 3;
  }

  /** Calls `each` with every name of an object; it reads the value. */
  object(each: (name: string) => void): void {
    this.#expect('{');
    if (this.#take('}')) return;
    do {
      const name = this.value();
      if (typeof name !== 'string') this.fail('a name in quotes');
      this.#expect(':');
      each(name as string);
    } while (this.#take(','));
    this.#expect('}');
  }

  /** Calls `each` for every entry of an object; it reads name and value. */
  entries(each: () => void): void {
    this.#expect('{');
    if (this.#take('}')) return;
    do each();
    while (this.#take(','));
    this.#expect('}');
  }

  /** Calls `each` for every item of an array; it reads the item. */
  array(each: (index: number) => void): void {
    this.#expect('[');
    if (this.#take(']')) return;
    let index = 0;
    do each(index++);
    while (this.#take(','));
    this.#expect(']');
  }

  /** Reads a value whole. */
  value(): unknown {
    const start = this.#skipSpace();
    this.#skipValue();
    try {
      return JSON.parse(this.#decoder.decode(this.bytes.subarray(start, this.at)));
    } catch (error) {
      throw new TokenizerError(
        `${this.name}: is not JSON: in the value at byte ${start}: ${(error as Error).message}`,
      );
    }
  }

  /** Moves behind a value, which is not checked. */
  skip(): void {
    this.#skipValue();
  }

  /** The next byte that is not white space, as a character; it is not read. */
  peek(): string {
    return String.fromCharCode(this.bytes[this.#skipSpace()] ?? 0);
  }

  /** Reads a string into `units` from `top` on, and its hash; gives where it ends. */
  string(top: number): number {
    const { bytes } = this;
    let { units } = this;
    let i = this.#skipSpace();
    if (bytes[i] !== quote) this.fail('a string');
    i++;
    let hash = hashSeed;
    let to = top;
    for (;;) {
      if (to + 2 > units.length) units = this.#grow();
      let unit = bytes[i]!;
      if (unit >= 0x80) {
        const codePoint = this.#utf8(i);
        i += codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
        unit = codePoint;
        if (codePoint > 0xffff) {
          const high = 0xd7c0 + (codePoint >> 10);
          hash = hashUnit(hash, high);
          units[to++] = high;
          unit = 0xdc00 + (codePoint & 0x3ff);
        }
      } else if (unit === quote) break;
      else if (unit === backslash) {
        this.at = i;
        unit = this.#escape();
        i = this.at;
      } else if (unit >= 0x20) i++;
      else {
        this.at = Math.min(i, bytes.length);
        this.fail('no control character, and the end of a string');
      }
      hash = hashUnit(hash, unit);
      units[to++] = unit;
    }
    this.at = i + 1;
    this.hash = hash;
    return to;
  }

  colon(): void {
    this.#expect(':');
  }

  /** Reads a whole number of at least 0, or gives −1 and reads nothing. */
  count(): number {
    const { bytes } = this;
    let i = this.#skipSpace();
    let value = 0;
    const start = i;
    for (; bytes[i]! >= 0x30 && bytes[i]! <= 0x39; i++) value = value * 10 + bytes[i]! - 0x30;
    const next = bytes[i];
    if (i === start || next === 0x2e || next === 0x65 || next === 0x45) return -1;
    this.at = i;
    return value;
  }

  take(sign: ',' | ']' | '['): boolean {
    return this.#take(sign);
  }

  /** Checks that nothing follows. */
  finish(): void {
    if (this.#skipSpace() < this.bytes.length) this.fail('the end of the file');
  }

  fail(expected: string): never {
    const { bytes, at, name } = this;
    const found =
      at < bytes.length
        ? `'${new TextDecoder().decode(bytes.subarray(at, at + 20))}'`
        : 'the end of the file';
    throw new TokenizerError(`${name}: is not JSON: ${found} at byte ${at}; expected ${expected}`);
  }

  #grow(): Uint16Array {
    const wider = new Uint16Array(2 * this.units.length);
    wider.set(this.units);
    this.units = wider;
    return wider;
  }

  #escape(): number {
    const { bytes } = this;
    const kind = bytes[this.at + 1]!;
    if (kind === 0x75) {
      const hex = String.fromCharCode(...bytes.subarray(this.at + 2, this.at + 6));
      if (!/^[0-9A-Fa-f]{4}$/.test(hex)) this.fail('four hexadecimal digits');
      this.at += 6;
      return Number.parseInt(hex, 16);
    }
    const unit = escapes[kind];
    if (unit === undefined) this.fail('an escape');
    this.at += 2;
    return unit as number;
  }

  /** The code point of the UTF-8 at a byte. */
  #utf8(i: number): number {
    const { bytes } = this;
    const first = bytes[i]!;
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    let codePoint = first & (0x7f >> length);
    for (let k = 1; k < length; k++) {
      const byte = bytes[i + k]!;
      if ((byte & 0xc0) !== 0x80) codePoint = Number.NaN;
      codePoint = (codePoint << 6) | (byte & 0x3f);
    }
    const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
    const surrogate = codePoint >= 0xd800 && codePoint < 0xe000;
    const broken = first < 0xc2 || first > 0xf4 || codePoint < least || surrogate;
    if (broken || codePoint > 0x10ffff) {
      this.at = i;
      this.fail('UTF-8');
    }
    return codePoint;
  }

  /** Moves behind a value, whose strings and brackets only are looked at. */
  #skipValue(): void {
    const { bytes } = this;
    let depth = 0;
    for (let i = this.#skipSpace(); i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === quote) {
        i++;
        while (i < bytes.length && bytes[i] !== quote) i += bytes[i] === backslash ? 2 : 1;
        if (depth === 0) {
          this.at = Math.min(i + 1, bytes.length);
          return;
        }
      } else if (byte === 0x5b || byte === 0x7b) depth++;
      else if (byte === 0x5d || byte === 0x7d) {
        if (depth === 0) {
          this.at = i;
          return;
        }
        if (--depth === 0) {
          this.at = i + 1;
          return;
        }
      } else if (byte === 0x2c && depth === 0) {
        this.at = i;
        return;
      }
    }
    this.at = bytes.length;
  }

  #skipSpace(): number {
    const { bytes } = this;
    let i = this.at;
    for (; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) break;
    }
    this.at = i;
    return i;
  }

  #take(sign: string): boolean {
    if (this.bytes[this.#skipSpace()] !== sign.charCodeAt(0)) return false;
    this.at++;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) this.fail(`'${sign}'`);
  }
}
