import { DataError } from '../errors.js';
import { httpSource } from '../shards/byte-source.js';

/** A file of known length whose bytes are read by ranges, wherever it is. */
export interface ByteFile {
  /** A path, an address or a file's name; its ending says how the file is read. */
  readonly name: string;
  readonly size: number;
  /** The bytes from `start` up to `end`, which is at most `size`. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** A file that a person chose in a browser. */
export function blobFile(blob: Blob, name: string): ByteFile {
  return {
    name,
    size: blob.size,
    read: async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()),
  };
}

/**
 * A file behind an address, read by HTTP ranges.
 *
 * @throws DataError naming the address that does not answer, or not with a length
 */
export async function httpFile(address: string): Promise<ByteFile> {
  const response = await fetch(address, { method: 'HEAD' }).catch((cause) => {
    throw new DataError(`${address}: cannot be read: ${cause.message}`, { cause });
  });
  const length = response.headers.get('content-length');
  if (!response.ok || length === null) {
    const found = response.ok ? 'no length' : `status ${response.status}`;
    throw new DataError(`${address}: answered with ${found}, expected status 200 and a length`);
  }
  const slash = address.lastIndexOf('/');
  const source = httpSource(address.slice(0, slash));
  return {
    name: address,
    size: Number(length),
    read: (start, end) => source.read(address.slice(slash + 1), { start, end }),
  };
}

const chunkBytes = 2 ** 20;

/** The bytes of a file from `start` on, 1 MiB at a time. */
export async function* chunksOf(file: ByteFile, start = 0): AsyncGenerator<Uint8Array> {
  for (let at = start; at < file.size; at += chunkBytes) {
    yield await file.read(at, Math.min(file.size, at + chunkBytes));
  }
}
