import type { FileMetaData } from 'hyparquet';
import type { Document } from '../documents/document.js';
import { DataError } from '../errors.js';
import { documentsKey } from '../writers/parquet.js';
import type { ByteFile } from './byte-file.js';
import { checkLength, documentOf, longestDocument, type RecordFields } from './source-document.js';

/** Some consecutive row groups of a Parquet file, by the rows before and after them. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts a Parquet file between row groups, into ranges of at least `size` bytes before compression, but for the last.
 * @throws DataError naming the file that is cut off or is not Parquet
 */
export async function parquetRanges(file: ByteFile, size: number): Promise<RowRange[]> {
  const { row_groups } = await metadataOf(file);
  const ranges: RowRange[] = [];
  let [start, end, bytes] = [0, 0, 0];
  for (const { num_rows, total_byte_size } of row_groups) {
    end += Number(num_rows);
    bytes += Number(total_byte_size);
    if (bytes < size) continue;
    ranges.push({ start, end });
    start = end;
    bytes = 0;
  }
  if (end > start) ranges.push({ start, end });
  return ranges;
}

/**
 * The rows of a Parquet file as objects of what JSON has: whole numbers of 64 bits are numbers where they fit. A row group is held.
 * @throws DataError naming the file that is cut off, damaged or not UTF-8
 */
export async function* parquetRows(
  file: ByteFile,
  { start, end }: RowRange,
  known?: FileMetaData,
): AsyncGenerator<Record<string, unknown>> {
  const metadata = known ?? (await metadataOf(file));
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const parsers = { stringFromBytes: (text?: Uint8Array) => text && strict.decode(text) };
  let first = 0;
  for (const { num_rows } of metadata.row_groups) {
    const last = first + Number(num_rows);
    if (first < last && first >= start && last <= end) {
      const range = { rowStart: first, rowEnd: last };
      const rows = await named(file, async ({ parquetReadObjects }) => {
        const { compressors } = await import('hyparquet-compressors');
        return parquetReadObjects({
          file: bufferOf(file),
          metadata,
          compressors,
          parsers,
          ...range,
        });
      });
      for (const row of rows) yield plain(row) as Record<string, unknown>;
    }
    first = last;
  }
}

/**
 * The documents of a Parquet file: the other columns are in `meta`, and of a file that was written here what its `meta` holds.
 * @throws DataError naming the file that is cut off or damaged, or the columns where the one with the text is missing
 */
export async function* parquetDocuments(
  file: ByteFile,
  range: RowRange,
  fields: RecordFields,
): AsyncGenerator<Document> {
  const { maxBytes = longestDocument } = fields;
  const metadata = await metadataOf(file);
  const isOurs = metadata.key_value_metadata?.some(({ key }) => key === documentsKey);
  let row = range.start;
  for await (const columns of parquetRows(file, range, metadata)) {
    const place = `${file.name}: row ${row + 1}`;
    const record = isOurs ? withMeta(columns, place) : columns;
    const document = documentOf(record, fields, place, `${file.name}:${row}`);
    checkLength(document.text.length, maxBytes, place);
    yield document;
    row++;
  }
}

/** A row of a file that was written here, with the fields in its `meta` beside the text. */
function withMeta({ meta, ...columns }: Record<string, unknown>, place: string): object {
  try {
    return { ...JSON.parse(String(meta)), ...columns };
  } catch (cause) {
    throw new DataError(`${place}: meta is not JSON: ${(cause as Error).message}`, { cause });
  }
}

const metadataOf = (file: ByteFile): Promise<FileMetaData> =>
  named(file, ({ parquetMetadataAsync }) => parquetMetadataAsync(bufferOf(file)));

const bufferOf = (file: ByteFile) => ({
  byteLength: file.size,
  slice: async (start: number, end = file.size): Promise<ArrayBuffer> => {
    const from = start < 0 ? Math.max(0, file.size + start) : start;
    const { buffer, byteOffset, byteLength } = await file.read(from, Math.min(end, file.size));
    return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  },
});

/** Few files are Parquet: who reads none does not load it. */
async function named<T>(
  { name }: ByteFile,
  read: (library: typeof import('hyparquet')) => Promise<T>,
): Promise<T> {
  const library = await import('hyparquet');
  try {
    return await read(library);
  } catch (error) {
    throw new DataError(
      `${name}: cannot be read as Parquet: ${(error as Error).message}; the file may be cut off or damaged`,
      { cause: error },
    );
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (Array.isArray(value)) return value.map(plain);
  if (
    typeof value !== 'object' ||
    value === null ||
    Object.getPrototypeOf(value) !== Object.prototype
  )
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
