import { SafetensorsError } from './errors.js';

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
    async read(position, into) {
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
