import { GgufError } from '../errors.js';
import { type ValueType, valueCodes } from '../metadata-types.js';

/** A value of metadata; numbers of 64 bits are rounded beyond 2^53. */
export type GgufReadValue = number | boolean | string | readonly GgufReadValue[];

/** More bytes are needed than there are. */
export class NeedsBytes {
  constructor(readonly until: number) {}
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Lists of lists, how deep. */
const maxDepth = 4;
const typeOfValue = new Map<number, ValueType>(
  Object.entries(valueCodes).map(([type, code]) => [code, type as ValueType]),
);

/** Reads little-endian values one after the other from the first bytes of a file. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;
  #at = 0;

  /** @param name of the file, in errors */
  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#name = name;
  }

  /** The bytes that were read. */
  get at(): number {
    return this.#at;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  string(): string {
    const length = this.u64();
    const at = this.#take(length);
    return decoder.decode(this.#bytes.subarray(at, at + length));
  }

  /**
   * A value with its type before it.
   *
   * @param key names it in errors
   * @throws GgufError for an unknown type
   */
  value(key: string): GgufReadValue {
    return this.#value(this.#type(key), key, 0);
  }

  #type(key: string): ValueType {
    const code = this.u32();
    const type = typeOfValue.get(code);
    if (type) return type;
    throw new GgufError(
      `${this.#name}: '${key}' has the type ${code}; expected one from 0 to ${valueCodes.f64}`,
    );
  }

  #value(type: ValueType, key: string, depth: number): GgufReadValue {
    const view = this.#view;
    switch (type) {
      case 'u8':
        return view.getUint8(this.#take(1));
      case 'i8':
        return view.getInt8(this.#take(1));
      case 'u16':
        return view.getUint16(this.#take(2), true);
      case 'i16':
        return view.getInt16(this.#take(2), true);
      case 'u32':
        return this.u32();
      case 'i32':
        return view.getInt32(this.#take(4), true);
      case 'f32':
        return view.getFloat32(this.#take(4), true);
      case 'f64':
        return view.getFloat64(this.#take(8), true);
      case 'u64':
        return this.u64();
      case 'i64':
        return Number(view.getBigInt64(this.#take(8), true));
      case 'bool':
        return view.getUint8(this.#take(1)) !== 0;
      case 'string':
        return this.string();
      case 'array':
        return this.#list(key, depth);
    }
  }

  #list(key: string, depth: number): readonly GgufReadValue[] {
    if (depth === maxDepth) {
      throw new GgufError(
        `${this.#name}: '${key}' has lists in lists; expected at most ${maxDepth} deep`,
      );
    }
    const type = this.#type(key);
    const length = this.u64();
    const items: GgufReadValue[] = [];
    for (let i = 0; i < length; i++) items.push(this.#value(type, key, depth + 1));
    return items;
  }

  /** @returns where the bytes begin */
  #take(bytes: number): number {
    const at = this.#at;
    if (!(at + bytes <= this.#bytes.length)) throw new NeedsBytes(at + bytes);
    this.#at += bytes;
    return at;
  }
}
