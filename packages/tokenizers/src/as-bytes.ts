import { TokenizerError } from './errors.js';

/** Bytes in memory: a `Buffer`, a typed array or a `DataView` of any offset, an `ArrayBuffer` or a `SharedArrayBuffer`. */
export type Bytes = ArrayBufferView | ArrayBufferLike;

/**
 * Bytes as a `Uint8Array` over the same memory; shared memory is copied, since text decoders refuse it.
 *
 * @throws TokenizerError where the value holds no bytes
 */
export function asBytes(value: Bytes, name: string): Uint8Array {
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : /^(Shared)?ArrayBuffer$/.test(className(value))
      ? new Uint8Array(value)
      : undefined;
  if (bytes) return className(bytes.buffer) === 'SharedArrayBuffer' ? bytes.slice() : bytes;
  throw new TokenizerError(
    `${name}: is ${className(value)}; expected a Buffer, a Uint8Array, a DataView, an ArrayBuffer or a SharedArrayBuffer`,
  );
}

/**
 * A text, or the text that bytes are in UTF-8.
 *
 * @throws TokenizerError where the bytes are not UTF-8
 */
export function asText(value: string | Bytes, name: string): string {
  if (typeof value === 'string') return value;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(asBytes(value, name));
  } catch (error) {
    if (error instanceof TokenizerError) throw error;
    throw new TokenizerError(`${name}: is not UTF-8`);
  }
}

const className = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
