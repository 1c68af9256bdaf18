import { type FileHandle, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openFile } from '@headwise/files';
import type { JsonValue } from '../documents/document.js';
import { DataError } from '../errors.js';

/** A piece of a file of lines that is processed as one: the lines that begin in a range of its bytes. */
export interface LineUnit {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** Bytes of a unit: large enough for its overhead to be small, small enough for its work to be lost. */
const unitBytes = 64 * 2 ** 20;
const longestLine = 256 * 2 ** 20;
const chunkBytes = 2 ** 20;
const newline = 0x0a;

/** Whether a file's name says that it is compressed. */
export const isGzip = (path: string): boolean => path.endsWith('.gz');

/** Options of `lineUnits`. */
export interface LineUnitOptions {
  /** Bytes of a unit. Default 64 MiB. */
  readonly size?: number | undefined;
  /** Takes `.gz` files, whole, and those of folders too. Default false. */
  readonly gzip?: boolean | undefined;
}

/**
 * Cuts files of JSON lines, or all `.jsonl` files below folders in the order of their paths, into units.
 * @throws DataError naming what cannot be read, or the folder without such files
 */
export async function lineUnits(
  paths: readonly string[],
  { size = unitBytes, gzip = false }: LineUnitOptions = {},
): Promise<LineUnit[]> {
  const endings = gzip ? ['.jsonl', '.jsonl.gz'] : ['.jsonl'];
  const files = (await Promise.all(paths.map((path) => filesAt(path, endings)))).flat();
  const units: LineUnit[] = [];
  for (const path of files) {
    const { handle, size: length } = await openFile(path);
    await handle.close();
    if (gzip && isGzip(path)) units.push({ path, start: 0, end: length });
    else
      for (let start = 0; start < length; start += size) {
        units.push({ path, start, end: Math.min(length, start + size) });
      }
  }
  return units;
}

async function filesAt(path: string, endings: readonly string[]): Promise<string[]> {
  const found = await stat(path).catch((cause) => {
    throw new DataError(`${path}: cannot be read: ${cause.message}`, { cause });
  });
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path, { recursive: true })).filter((name) =>
    endings.some((ending) => name.endsWith(ending)),
  );
  if (names.length === 0) {
    throw new DataError(`${path}: holds no ${endings.join(' or ')} file, expected at least one`);
  }
  return names.sort().map((name) => join(path, name));
}

/** A line, and where it begins in its file. */
export interface Line {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/**
 * The lines of a unit without their line ends; blank lines are left out. One line and 1 MiB are held.
 * @throws DataError naming the file and the byte where a line is longer than 256 MiB
 */
export async function* readLines({ path, start, end }: LineUnit): AsyncGenerator<Line> {
  const { handle } = await openFile(path);
  try {
    // The line that the byte before the range belongs to is the range before's.
    const from = Math.max(0, start - 1);
    for await (const line of linesOf(chunksOf(handle, from), path, from, end)) {
      if (line.at >= start) yield line;
    }
  } finally {
    await handle.close();
  }
}

async function* chunksOf(handle: FileHandle, from: number): AsyncGenerator<Uint8Array> {
  for (let position = from; ; ) {
    const chunk = new Uint8Array(chunkBytes);
    const { bytesRead } = await handle.read(chunk, 0, chunkBytes, position);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/**
 * The lines of consecutive chunks, without their line ends and without blank ones; one line and a chunk are held.
 *
 * @param path the file's, for errors
 * @param from where the first chunk begins
 * @param end where no line is read that begins there or later
 * @throws DataError naming the file and the byte where a line is longer than 256 MiB
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  from = 0,
  end: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<Line> {
  let [position, at, length] = [from, from, 0];
  let held: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let begin = 0;
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, begin)) {
      const bytes = joined(held, chunk.subarray(begin, to));
      if (bytes.length > 0) yield { bytes, at };
      held = [];
      length = 0;
      begin = to + 1;
      at = position + begin;
      if (at >= end) return;
    }
    held.push(chunk.subarray(begin));
    length += chunk.length - begin;
    if (length > longestLine) {
      throw new DataError(`${path}: the line at byte ${at} is longer than ${longestLine} bytes`);
    }
    position += chunk.length;
  }
  if (length > 0) yield { bytes: joined(held, new Uint8Array()), at };
}

/** What a line of JSON holds. */
export interface LineObject {
  readonly text: string;
  readonly [key: string]: JsonValue;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The object of a line, with the document's `text`.
 * @throws DataError naming the line of `path` that is not JSON, or has no text
 */
export function parseLine({ bytes, at }: Line, path: string): LineObject {
  const where = `${path}: the line at byte ${at}`;
  let value: Partial<LineObject> | null;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new DataError(`${where} is not JSON in UTF-8: ${(cause as Error).message}`, { cause });
  }
  if (typeof value?.text === 'string') return value as LineObject;
  throw new DataError(`${where} has no "text", expected an object with a string of that name`);
}

function joined(parts: readonly Uint8Array[], last: Uint8Array): Uint8Array {
  if (parts.length === 0) return last;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, last.length));
  let at = 0;
  for (const part of [...parts, last]) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
