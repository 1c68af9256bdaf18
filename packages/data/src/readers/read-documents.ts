import { DataError } from '../errors.js';
import { type ByteFile, chunksOf } from './byte-file.js';
import { csvDocuments } from './csv.js';
import { type Decompressors, decompressed, portableDecompressors } from './decompress.js';
import { type DocumentFormat, formatEndings, formatOf } from './formats.js';
import { jsonDocuments, linesOf } from './lines.js';
import { parquetDocuments } from './parquet.js';
import type { RecordFields, SourceDocument } from './source-document.js';
import { textDocument } from './text.js';
import { warcDocuments } from './warc.js';

/** Options of `readDocuments`. */
export interface ReadDocumentsOptions extends RecordFields {
  /** Default: what the name's ending says. */
  readonly format?: DocumentFormat | undefined;
  /** Where documents begin: bytes of plain JSON lines, rows of Parquet; the whole file by default. */
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  /** Default: those in JavaScript alone. */
  readonly decompressors?: Decompressors | undefined;
}

/**
 * The documents of a file, one after the other: `.jsonl`, `.csv`, `.txt`, `.warc` and `.wet`, each also as `.gz` or `.zst`, and `.parquet`.
 *
 * A file without a byte has no documents. What is held is 1 MiB and a document, or a row group of Parquet.
 *
 * @throws DataError naming the file, the place in it, and what was expected
 * @example
 * for await (const { id, text } of readDocuments(blobFile(chosen, chosen.name))) show(id, text);
 */
export async function* readDocuments(
  file: ByteFile,
  options: ReadDocumentsOptions = {},
): AsyncGenerator<SourceDocument> {
  const { name, size } = file;
  const { start = 0, end = size, maxBytes, decompressors = portableDecompressors } = options;
  const { format, compression } = formatsOf(file, options.format);
  if (size === 0) return;
  if (format === 'parquet') {
    yield* parquetDocuments(file, { start, end: options.end ?? Number.POSITIVE_INFINITY }, options);
    return;
  }
  if (format === 'jsonl' && !compression) {
    // The line that the byte before the range belongs to is the range before's.
    const from = Math.max(0, start - 1);
    const lines = linesOf(chunksOf(file, from), { name, from, end, maxBytes });
    yield* jsonDocuments(from === start ? lines : linesFrom(lines, start), name, options);
    return;
  }
  const raw = chunksOf(file);
  const chunks = compression ? decompressed(raw, decompressors[compression], name) : raw;
  if (format === 'jsonl') yield* jsonDocuments(linesOf(chunks, { name, maxBytes }), name, options);
  else if (format === 'csv') yield* csvDocuments(chunks, name, options);
  else if (format === 'text') yield* textDocument(chunks, name, maxBytes);
  else yield* warcDocuments(chunks, name, maxBytes);
}

/**
 * The format and compression of a file.
 * @throws DataError naming the file whose ending says none
 */
export function formatsOf(
  { name }: { readonly name: string },
  given?: DocumentFormat,
): ReturnType<typeof formatOf> & { readonly format: DocumentFormat } {
  const { format = given, compression } = formatOf(name);
  if (given ?? format) return { format: (given ?? format)!, compression };
  const endings = Object.keys(formatEndings).join(', ');
  throw new DataError(
    `${name}: its ending names no format of documents; expected ${endings}, or .gz or .zst after one but .parquet, or a format`,
  );
}

async function* linesFrom(lines: ReturnType<typeof linesOf>, start: number) {
  for await (const line of lines) if (line.at >= start) yield line;
}
