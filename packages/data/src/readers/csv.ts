import type { Document } from '../documents/document.js';
import { DataError } from '../errors.js';
import { checkLength, documentOf, longestDocument, type RecordFields } from './source-document.js';
import { utf8Text } from './utf8.js';

/** The part of csv-parse's stream that is used: it is one of Node's, which a bundle for browsers brings along. */
interface Parser {
  write(text: string): void;
  end(): void;
  read(): { record: Record<string, string>; info: { lines: number } } | null;
  on(event: 'error', listener: (error: Error) => void): void;
}

/**
 * The documents of a CSV file (RFC 4180) whose first row names the columns; the other columns are strings in `meta`.
 * @throws DataError naming the line where the file is not CSV or not UTF-8, or the column that is missing
 */
export async function* csvDocuments(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  fields: RecordFields,
): AsyncGenerator<Document> {
  const { parse } = await import('csv-parse/browser/esm');
  const { maxBytes = longestDocument } = fields;
  // Its limit is in characters, and includes the quotes.
  const options = {
    columns: true,
    info: true,
    record_delimiter: ['\r\n', '\n'],
    max_record_size: maxBytes,
  };
  const parser = parse(options) as unknown as Parser;
  let failure: Error | undefined;
  parser.on('error', (error) => {
    failure = error;
  });
  let line = 1;
  function* records(): Generator<Document> {
    for (let row = parser.read(); row !== null; row = parser.read()) {
      const place = `${name}: the row before line ${row.info.lines}`;
      yield documentOf(row.record, fields, place, `${name}:${row.info.lines}`);
      line = row.info.lines;
    }
    if (!failure) return;
    const isLong = (failure as { code?: string }).code === 'CSV_MAX_RECORD_SIZE';
    if (isLong)
      checkLength(Number.POSITIVE_INFINITY, maxBytes, `${name}: a row after line ${line}`);
    throw new DataError(`${name}: is not CSV after line ${line}: ${failure.message}`, {
      cause: failure,
    });
  }
  for await (const text of utf8Text(chunks, name)) {
    parser.write(text);
    yield* records();
  }
  parser.end();
  yield* records();
}
