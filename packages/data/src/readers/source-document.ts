import type { Document, JsonValue } from '../documents/document.js';
import { DataError } from '../errors.js';

/** A document as it was read. */
export interface SourceDocument extends Document {
  /** Its line without the line end, where it was a line of JSON. */
  readonly line?: Uint8Array | undefined;
}

/** What a record of a file is a document by. */
export interface RecordFields {
  /** The field that holds the text. Default `'text'`. */
  readonly text?: string | undefined;
  /** The field that holds the id. Default `'id'`; where a record has none, its place in the file is the id. */
  readonly id?: string | undefined;
  /** Bytes that one document may have; a longer one is an error. Default 256 MiB. */
  readonly maxBytes?: number | undefined;
}

/** Bytes of a document without another limit. */
export const longestDocument: number = 256 * 2 ** 20;

/**
 * The document of a record.
 *
 * @param place of the record in its file: what errors begin with
 * @param id where the record has none
 * @throws DataError where the record has no text
 */
export function documentOf(
  record: unknown,
  { text: textField = 'text', id: idField = 'id' }: RecordFields,
  place: string,
  id: string,
): Document {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    const kind = Array.isArray(record) ? 'a list' : JSON.stringify(record).slice(0, 40);
    throw new DataError(
      `${place} is ${kind}; expected an object with a string named "${textField}"`,
    );
  }
  const { [textField]: text, [idField]: given, ...meta } = record as Record<string, unknown>;
  if (typeof text !== 'string') {
    const names = Object.keys(record).join(', ') || 'none';
    throw new DataError(`${place} has no "${textField}" that is a string; its fields are ${names}`);
  }
  return {
    id: given === undefined || given === null ? id : String(given),
    text,
    meta: meta as Record<string, JsonValue>,
  };
}

/** Refuses a document that is longer than it may be. */
export function checkLength(bytes: number, limit: number, place: string): void {
  if (bytes > limit) {
    throw new DataError(`${place} is longer than maxBytes, ${limit} bytes`);
  }
}
