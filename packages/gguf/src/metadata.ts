import { GgufError } from './errors.js';
import { valueCodes } from './metadata-types.js';

/** A value with its type: a file says which width a number has. */
export type GgufValue =
  | readonly ['u32', number]
  | readonly ['i32', number]
  | readonly ['f32', number]
  | readonly ['bool', boolean]
  | readonly ['string', string]
  | readonly ['string[]', readonly string[]]
  | readonly ['i32[]', Int32Array]
  | readonly ['f32[]', Float32Array]
  | readonly ['bool[]', readonly boolean[]]
  | readonly ['u8[]', Uint8Array];

/** Metadata by key, such as `llama.block_count`, in the order in which it is written. */
export type GgufMetadata = Readonly<Record<string, GgufValue>>;

type ItemType = 'u8' | 'u32' | 'i32' | 'f32' | 'bool' | 'string';

const encoder = new TextEncoder();

/** Bytes in the making, little-endian. */
export class GgufBytes {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written so far. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  u32(value: number): void {
    this.#grow(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  i32(value: number): void {
    this.u32(value >>> 0);
  }

  f32(value: number): void {
    this.#grow(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  u64(value: number): void {
    this.#grow(8);
    this.#view.setBigUint64(this.#length, BigInt(value), true);
    this.#length += 8;
  }

  u8(value: number): void {
    this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  /** UTF-8 with its length before it. */
  string(text: string): void {
    const bytes = encoder.encode(text);
    this.u64(bytes.length);
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Zeros up to a multiple of `alignment`. */
  pad(alignment: number): void {
    const end = Math.ceil(this.#length / alignment) * alignment;
    this.#grow(end - this.#length);
    this.#length = end;
  }

  #grow(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const wider = new Uint8Array(2 * (this.#length + more));
    wider.set(this.bytes);
    this.#bytes = wider;
    this.#view = new DataView(wider.buffer);
  }
}

/**
 * Writes one key and its value.
 *
 * @throws GgufError for a number that its type does not hold
 */
export function writeEntry(out: GgufBytes, key: string, value: GgufValue): void {
  out.string(key);
  const [type] = value;
  if (type.endsWith('[]')) {
    const [, items] = value as readonly [string, ArrayLike<string | number | boolean>];
    const item = type.slice(0, -2) as ItemType;
    out.u32(valueCodes.array);
    out.u32(valueCodes[item]);
    out.u64(items.length);
    for (let i = 0; i < items.length; i++) writeItem(out, key, item, items[i]!);
    return;
  }
  out.u32(valueCodes[type as ItemType]);
  writeItem(out, key, type as ItemType, value[1] as string | number | boolean);
}

function writeItem(
  out: GgufBytes,
  key: string,
  type: ItemType,
  value: string | number | boolean,
): void {
  if (type === 'string') out.string(value as string);
  else if (type === 'bool') out.u8(value ? 1 : 0);
  else if (type === 'f32') out.f32(value as number);
  else if (type === 'u8') out.u8(value as number);
  else out.i32(whole(key, type, value as number));
}

/** A number that its type holds. */
function whole(key: string, type: 'u32' | 'i32', value: number): number {
  const [least, most] = type === 'u32' ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new GgufError(`'${key}' is ${value}; expected a whole number from ${least} to ${most}`);
}
