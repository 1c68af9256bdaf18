import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { openFile } from '@headwise/files';
import { DataError } from '../errors.js';
import type { ByteFile } from '../readers/byte-file.js';
import { type Decompressors, portableDecompressors } from '../readers/decompress.js';

/** A file on disk, to be closed. */
export interface DiskFile extends ByteFile {
  close(): Promise<void>;
}

/**
 * Opens a file on disk.
 * @throws FileError naming the file that is missing, or is not a regular one
 */
export async function diskFile(path: string): Promise<DiskFile> {
  const { handle, size } = await openFile(path);
  return {
    name: path,
    size,
    read: (start, end) => readRange(handle, start, end, path),
    close: () => handle.close(),
  };
}

/**
 * The bytes of a range of an open file.
 * @throws DataError naming the file that ends before the range does
 */
export async function readRange(
  handle: FileHandle,
  start: number,
  end: number,
  path: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  for (let done = 0; done < bytes.length; ) {
    const at = start + done;
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, at);
    if (bytesRead === 0)
      throw new DataError(`${path}: ends at byte ${at}, expected at least ${end}`);
    done += bytesRead;
  }
  return bytes;
}

/** Decompressors of Node.js where it has them: zlib compares the check sums of gzip. */
export const nodeDecompressors: Decompressors = {
  ...portableDecompressors,
  async *gzip(chunks) {
    const gunzip = createGunzip();
    const source = Readable.from(chunks, { objectMode: true });
    source.on('error', (error) => gunzip.destroy(error));
    source.pipe(gunzip);
    try {
      yield* gunzip as AsyncIterable<Uint8Array>;
    } finally {
      source.destroy();
      gunzip.destroy();
    }
  },
};
