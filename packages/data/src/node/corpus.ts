import { constants } from 'node:buffer';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, readBytes } from '@headwise/files';
import { decodeText } from '../decode-text.js';
import { DataError } from '../errors.js';

/** One text of a corpus. */
export interface TextDocument {
  /** Path of the file, as given or below the folder that was given. */
  readonly path: string;
  readonly text: string;
}

/**
 * Reads a text file, or every `.txt` file in a folder and its subfolders in the order of their paths.
 *
 * Files are strict UTF-8; a byte order mark is dropped. A FIFO that is named itself, as a shell's `<(…)`, is read to its end;
 * in a folder it is refused, and devices and sockets are refused everywhere.
 *
 * @throws DataError naming the file that is missing, empty or not UTF-8, or the folder without texts
 */
export async function readTextCorpus(path: string): Promise<TextDocument[]> {
  const found = await stat(path).catch((cause) => {
    throw new DataError(`${path}: cannot be read: ${cause.message}`, { cause });
  });
  if (found.isFIFO()) return [await readText(path, readFile)];
  if (!found.isDirectory()) return [await readText(path)];
  const names = (await readdir(path, { recursive: true })).filter((name) => name.endsWith('.txt'));
  if (names.length === 0) throw new DataError(`${path}: holds no .txt file, expected at least one`);
  const documents: TextDocument[] = [];
  for (const name of names.sort()) documents.push(await readText(join(path, name)));
  return documents;
}

async function readText(
  path: string,
  read: (path: string) => Promise<Uint8Array> = readBytes,
): Promise<TextDocument> {
  const bytes = await read(path).catch((cause) => {
    const named = cause instanceof FileError;
    throw new DataError(named ? cause.message : `${path}: cannot be read: ${cause.message}`, {
      cause,
    });
  });
  if (bytes.length > constants.MAX_STRING_LENGTH) {
    throw new DataError(
      `${path}: has ${bytes.length} bytes, a text has at most ${constants.MAX_STRING_LENGTH}`,
    );
  }
  return { path, text: decodeText(bytes, path) };
}
