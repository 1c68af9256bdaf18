import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError, named } from './errors.js';

/** The content of a file: UTF-8 text, bytes, or a stream of chunks. */
export type FileContent = string | Uint8Array | AsyncIterable<Uint8Array>;

/** A file's length and hash. */
export interface FileEntry {
  bytes: number;
  /** SHA-256 of the bytes, in hexadecimal. */
  sha256: string;
}

/**
 * Writes a file that is there whole or not at all: to a temporary name beside it, flushed to disk, then renamed.
 *
 * @throws FileError naming the file, with the system's error as its cause
 */
export async function replaceFile(path: string, content: FileContent): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await writeNew(temporary, content);
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw named(path, 'cannot be written', error);
  }
}

/** Writes a file that must not be there yet, flushed to disk. */
export async function writeNew(path: string, content: FileContent): Promise<FileEntry> {
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await open(path, 'wx');
  try {
    for await (const chunk of chunksOf(content)) {
      hash.update(chunk);
      await writeAll(handle, chunk);
      bytes += chunk.byteLength;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

function chunksOf(content: FileContent): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof content === 'string') return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

// Node.js moves at most 2^31 − 1 bytes in one call.
const MAX_WRITE_BYTES = 2 ** 30;

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const length = Math.min(bytes.byteLength - done, MAX_WRITE_BYTES);
    done += (await handle.write(bytes, done, length)).bytesWritten;
  }
}

/** Makes renames in a folder survive a power cut, where the system can flush a folder. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Creates a folder and its parents if they do not exist.
 *
 * @throws FileError naming the folder and why it cannot be
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await make(path);
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw named(path, 'cannot be made a folder', error);
  }
}

/** Node's own recursive way does not end on some folders that refuse it. */
async function make(path: string): Promise<void> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (there?.isDirectory()) return;
  if (there) throw new FileError(path, 'cannot be made a folder: it is a file');
  if (dirname(path) !== path) await make(dirname(path));
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    // Another process was faster.
    if (error.code !== 'EEXIST') throw error;
  });
}
