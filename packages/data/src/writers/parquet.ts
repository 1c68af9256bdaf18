import type { ParquetWriter } from 'hyparquet-writer';
import type { Document } from '../documents/document.js';

/** Options of `parquetChunks`. */
export interface ParquetOptions {
  /** Compresses pages, in the format of gzip; absent: Snappy, in JavaScript. */
  readonly gzip?: ((bytes: Uint8Array) => Uint8Array) | undefined;
  /** Characters of a row group, at least, but for the last. Default 2^23. */
  readonly groupSize?: number | undefined;
}

/** The key of a file's metadata by which `parquetDocuments` knows what `meta` holds. */
export const documentsKey = 'headwise.documents';

/** Columns of every file, whatever the documents' fields are, so that all parts of a corpus have one schema. */
const columns = ['id', 'text', 'meta'] as const;

const schema: ParquetWriter['schema'] = [
  { name: 'root', num_children: columns.length },
  ...columns.map((name) => ({
    name,
    type: 'BYTE_ARRAY' as const,
    converted_type: 'UTF8' as const,
    repetition_type: 'REQUIRED' as const,
  })),
];

/**
 * The bytes of a Parquet file of documents: the columns `id`, `text`, and `meta`, an object in JSON. One row group is held.
 *
 * A half of a surrogate pair becomes U+FFFD: strings of Parquet are UTF-8.
 *
 * @returns chunks, each valid until the next
 */
export async function* parquetChunks(
  documents: AsyncIterable<Document>,
  { gzip, groupSize = 2 ** 23 }: ParquetOptions = {},
): AsyncGenerator<Uint8Array> {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    schema,
    createdBy: 'headwise',
    kvMetadata: [{ key: documentsKey, value: '1' }],
    ...(gzip && { codec: 'GZIP' as const, compressors: { GZIP: gzip } }),
  });
  let group = emptyGroup();
  let size = 0;
  function* take(): Generator<Uint8Array> {
    yield writer.getBytes();
    writer.index = 0;
  }
  for await (const { id, text, meta } of documents) {
    const row = { id, text, meta: JSON.stringify(meta) };
    for (const name of columns) {
      group[name].push(row[name]);
      size += row[name].length;
    }
    if (size < groupSize) continue;
    writeGroup(parquet, group);
    yield* take();
    group = emptyGroup();
    size = 0;
  }
  if (group.id.length > 0) writeGroup(parquet, group);
  await parquet.finish();
  yield* take();
}

type Group = Readonly<Record<(typeof columns)[number], string[]>>;

const emptyGroup = (): Group => ({ id: [], text: [], meta: [] });

/** Texts repeat seldom: neither a dictionary nor the least and the largest would be of use. */
function writeGroup(parquet: ParquetWriter, group: Group): void {
  parquet.write({
    columnData: columns.map((name) => ({
      name,
      data: group[name],
      encoding: 'PLAIN' as const,
      statistics: false,
    })),
    rowGroupSize: group.id.length,
  });
}
