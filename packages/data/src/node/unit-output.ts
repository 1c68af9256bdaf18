import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { writeFile } from '@headwise/files';
import type { Document } from '../documents/document.js';
import { DataError } from '../errors.js';
import type { SourceDocument } from '../readers/source-document.js';
import { parquetChunks } from '../writers/parquet.js';
import { unitFile } from './run-folder.js';

/** How documents may be written. */
export const outputFormats = ['jsonl', 'parquet'] as const;

/** How documents are written. */
export interface OutputSettings {
  /** `.jsonl`, or `.parquet` with the columns `id`, `text` and `meta`, an object in JSON. Default `'jsonl'`. */
  readonly format?: (typeof outputFormats)[number] | undefined;
  /** Compresses with gzip: `.jsonl.gz`, or the pages of Parquet, which are compressed with Snappy otherwise. Default false. */
  readonly gzip?: boolean | undefined;
}

/** The settings without those that are default, checked: for a run's plan. */
export function outputSettings({ format, gzip }: OutputSettings): OutputSettings {
  if (format !== undefined && !outputFormats.includes(format)) {
    throw new DataError(
      `format is ${JSON.stringify(format)}; expected one of ${outputFormats.join(', ')}`,
    );
  }
  return { ...(format === 'parquet' && { format }), ...(gzip && { gzip }) };
}

/** The ending of the files of documents. */
export const outputEnding = ({ format = 'jsonl', gzip = false }: OutputSettings): string =>
  format === 'parquet' ? 'parquet' : gzip ? 'jsonl.gz' : 'jsonl';

/** Writes the documents of a unit into a part of the folder; one with a `line` as that line, where lines are written. */
export async function writeUnitDocuments(
  folder: string,
  part: string,
  unit: number,
  documents: AsyncIterable<SourceDocument>,
  settings: OutputSettings,
): Promise<void> {
  const { format, gzip = false } = settings;
  const path = unitFile(folder, part, unit, outputEnding(settings));
  if (format === 'parquet') {
    await writeFile(path, parquetChunks(documents, gzip ? { gzip: gzipSync } : {}));
  } else {
    const blocks = inBlocks(linesOf(documents));
    await writeFile(path, gzip ? gzipped(blocks) : blocks);
  }
}

async function* linesOf(documents: AsyncIterable<SourceDocument>): AsyncGenerator<Uint8Array> {
  for await (const document of documents) {
    if (document.line) {
      yield document.line;
      yield lineEnd;
    } else yield lineOf(document);
  }
}

const lineEnd = Uint8Array.of(0x0a);

/** A document as a line of JSON, with what is in `meta` beside the text, and the line end. */
const lineOf = ({ id, text, meta }: Document): Uint8Array =>
  Buffer.from(`${JSON.stringify(Object.assign({ id, text }, meta, { id, text }))}\n`);

/** Compresses blocks whose memory is used again for the next block. */
async function* gzipped(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  async function* copies(): AsyncGenerator<Uint8Array> {
    for await (const block of blocks) yield block.slice();
  }
  const gzip = createGzip();
  const piped = pipeline(copies, gzip);
  piped.catch(() => {}); // the loop below throws it
  yield* gzip as AsyncIterable<Uint8Array>;
  await piped;
}

/** Joins small pieces; a block is valid until the next. */
async function* inBlocks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(2 ** 20);
  let used = 0;
  for await (const piece of pieces) {
    if (used + piece.length > block.length) {
      yield block.subarray(0, used);
      used = 0;
    }
    if (piece.length > block.length) yield piece;
    else {
      block.set(piece, used);
      used += piece.length;
    }
  }
  yield block.subarray(0, used);
}
