import { className, SafetensorsError } from './errors.js';

/** Bytes in memory: a `Buffer`, a typed array or a `DataView` of any offset, an `ArrayBuffer` or a `SharedArrayBuffer`. */
export type Bytes = ArrayBufferView | ArrayBufferLike;

/**
 * The same memory as a `Uint8Array`, never a subclass whose `slice` is a view.
 * @param name of the bytes, for errors
 * @throws SafetensorsError when the value holds no bytes
 */
export function asBytes(value: Bytes, name: string): Uint8Array {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (isBuffer(value)) return new Uint8Array(value);
  const reason = `is ${className(value)}, expected a Buffer, a Uint8Array, a DataView, an ArrayBuffer or a SharedArrayBuffer`;
  throw new SafetensorsError(name, undefined, reason);
}

/** Whether a value is an ArrayBuffer or a SharedArrayBuffer, of this realm or another. */
export function isBuffer(value: unknown): value is ArrayBufferLike {
  return /^(Shared)?ArrayBuffer$/.test(className(value));
}

/** The bytes in memory of their own where it is shared, as decoders and files do not take shared memory. */
export function unshared(bytes: Uint8Array): Uint8Array {
  return className(bytes.buffer) === 'SharedArrayBuffer' ? bytes.slice() : bytes;
}

/** Bytes that can be read from any place: a file on disk, in a browser, on the web. */
export interface ByteSource {
  /** Stands for the bytes in errors. */
  readonly name: string;
  readonly size: number;
  /**
   * Fills `into` with the bytes from `position` on.
   * @throws SafetensorsError when they end before
   */
  read(position: number, into: Uint8Array): Promise<void>;
  /**
   * Checks what can only be checked once all has been read, such as a hash of the whole.
   * @throws SafetensorsError when the bytes are not what they should be
   */
  finish?(): Promise<void>;
  /** Nothing can be read after. */
  close(): Promise<void>;
}

/** The bytes of a `Blob`, such as a `File` that a person chose. */
export function blobBytes(blob: Blob, name: string): ByteSource {
  return {
    name,
    size: blob.size,
    async read(position, target) {
      const into = asBytes(target, name);
      const part = blob.slice(position, position + into.byteLength);
      const bytes = new Uint8Array(await part.arrayBuffer());
      if (bytes.byteLength < into.byteLength) throw endsEarly(name, position, bytes, into);
      into.set(bytes);
    },
    close: async () => {},
  };
}

/** The error of a source that gave fewer bytes than were asked for. */
export function endsEarly(
  name: string,
  position: number,
  got: { byteLength: number },
  wanted: { byteLength: number },
): SafetensorsError {
  const reason = `ends at byte ${position + got.byteLength}, expected ${position + wanted.byteLength}`;
  return new SafetensorsError(name, undefined, reason);
}
