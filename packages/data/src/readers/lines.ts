import { DataError } from '../errors.js';
import type { SourceDocument } from './source-document.js';
import { checkLength, documentOf, longestDocument, type RecordFields } from './source-document.js';

const newline = 0x0a;

/** A line, and where it begins in its file. */
export interface Line {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** Where lines are read. */
export interface LineRange {
  /** The file's name, for errors. */
  readonly name: string;
  /** Where the first chunk begins. Default 0. */
  readonly from?: number | undefined;
  /** No line is read that begins here or later. Default: the end. */
  readonly end?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/**
 * The lines of consecutive chunks, without their line ends and without blank ones; one line and a chunk are held.
 *
 * @throws DataError naming the file and the byte where a line is longer than `maxBytes`
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  { name, from = 0, end = Number.POSITIVE_INFINITY, maxBytes = longestDocument }: LineRange,
): AsyncGenerator<Line> {
  let [position, at, length] = [from, from, 0];
  let held: Uint8Array[] = [];
  const check = (bytes: number) => checkLength(bytes, maxBytes, `${name}: the line at byte ${at}`);
  for await (const chunk of chunks) {
    let begin = 0;
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, begin)) {
      check(length + to - begin);
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
    check(length);
    position += chunk.length;
  }
  if (length > 0) yield { bytes: joined(held, new Uint8Array()), at };
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

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The documents of lines of JSON: the rest of each object is its `meta`.
 * @throws DataError naming the line that is not JSON, or has no text
 */
export async function* jsonDocuments(
  lines: AsyncIterable<Line>,
  name: string,
  fields: RecordFields,
): AsyncGenerator<SourceDocument> {
  for await (const { bytes, at } of lines) {
    const place = `${name}: the line at byte ${at}`;
    let record: unknown;
    try {
      record = JSON.parse(decoder.decode(bytes));
    } catch (cause) {
      throw new DataError(`${place} is not JSON in UTF-8: ${(cause as Error).message}`, { cause });
    }
    yield { ...documentOf(record, fields, place, `${name}:${at}`), line: bytes };
  }
}
