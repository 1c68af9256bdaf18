import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { FileError, named } from './errors.js';
import type { FileEntry } from './write.js';

/** A file that is open to read. */
export interface OpenFile {
  path: string;
  handle: FileHandle;
  size: number;
  /** Saved length and hash; undefined if the folder has no manifest or the manifest does not list the file. */
  entry: FileEntry | undefined;
}

const CHUNK = 2 ** 22;

/** Compares a file with the hash that it was saved with; what is read from front to back is hashed on the way. */
export class FileCheck {
  readonly #file: OpenFile;
  readonly #hash = createHash('sha256');
  #hashed = 0;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  /** Hashes bytes that were read. */
  seen(position: number, bytes: Uint8Array): void {
    if (!this.#file.entry || position !== this.#hashed) return;
    this.#hash.update(bytes);
    this.#hashed += bytes.byteLength;
  }

  /**
   * Reads the bytes that were not hashed yet, and compares.
   *
   * @throws FileError where the file is not as it was saved
   */
  async finish(): Promise<void> {
    const { path, handle, entry } = this.#file;
    if (!entry) return;
    const chunk = new Uint8Array(Math.min(CHUNK, Math.max(0, entry.bytes - this.#hashed)));
    while (this.#hashed < entry.bytes) {
      const length = Math.min(chunk.length, entry.bytes - this.#hashed);
      const { bytesRead } = await handle.read(chunk, 0, length, this.#hashed).catch((error) => {
        throw named(path, 'cannot be read', error);
      });
      if (bytesRead === 0) break;
      this.seen(this.#hashed, chunk.subarray(0, bytesRead));
    }
    const sha256 = this.#hash.digest('hex');
    if (sha256 === entry.sha256) return;
    throw damaged(path, `has the SHA-256 ${sha256}; ${entry.sha256} was saved`);
  }
}

/** The error of a file that is not what its folder's manifest says. */
export function damaged(path: string, how: string): FileError {
  return new FileError(
    path,
    `${how}. It was damaged, or changed by another program: restore it, or remove headwise-manifest.json to take the folder as it is`,
  );
}
