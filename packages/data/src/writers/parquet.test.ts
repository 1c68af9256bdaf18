import { gzipSync } from 'node:zlib';
import { parquetMetadata } from 'hyparquet';
import { expect, test } from 'vitest';
import type { Document } from '../documents/document.js';
import { blobFile } from '../readers/byte-file.js';
import { readDocuments } from '../readers/read-documents.js';
import { parquetChunks } from './parquet.js';

async function* streamOf(documents: readonly Document[]) {
  yield* documents;
}

/** The chunks of a file, each copied before the next is made. */
async function written(documents: readonly Document[], options: object = {}) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of parquetChunks(streamOf(documents), options)) chunks.push(chunk.slice());
  return new Blob(chunks as BlobPart[]);
}

async function read(blob: Blob, options: object = {}) {
  const documents: Document[] = [];
  for await (const each of readDocuments(blobFile(blob, 'x.parquet'), options))
    documents.push(each);
  return documents;
}

const documents: Document[] = Array.from({ length: 50 }, (_, i) => ({
  id: `sea:${i}`,
  text: i % 7 === 0 ? '' : `\ufeffWhale ${i} 🐳 — 鯨 \0 ${'so. '.repeat(i)}`,
  meta: i % 2 === 0 ? {} : { url: `https://sea.net/${i}`, at: { lines: [i, 0.5, null] } },
}));

test.each([
  ['Snappy', {}],
  ['gzip', { gzip: gzipSync }],
])('documents come back from %s, each with its fields, a row group at a time', async (_, codec) => {
  const blob = await written(documents, { ...codec, groupSize: 600 });
  const { row_groups, num_rows } = parquetMetadata(await blob.arrayBuffer());
  expect([num_rows, row_groups.length > 5]).toEqual([50n, true]);
  expect(await read(blob)).toEqual(documents);
  const [{ columns }] = row_groups as [(typeof row_groups)[0]];
  expect(columns.map(({ meta_data }) => meta_data!.codec)).toEqual(
    Array(3).fill('gzip' in codec ? 'GZIP' : 'SNAPPY'),
  );
});

test('chunks come as row groups fill, not at the end', async () => {
  let taken = 0;
  async function* counted() {
    for (const document of documents) {
      taken++;
      yield document;
    }
  }
  const before: number[] = [];
  for await (const _ of parquetChunks(counted(), { groupSize: 600 })) before.push(taken);
  expect(new Set(before).size).toBeGreaterThan(5);
  expect(before[0]).toBeLessThan(15);
});

test('no documents are a file without rows; fields named as columns do not take their place', async () => {
  expect(await read(await written([]))).toEqual([]);
  const document = { id: '1', text: 'a', meta: { id: 2, text: 'b', meta: 3 } };
  expect(await read(await written([document]))).toEqual([{ ...document, meta: { meta: 3 } }]);
});

test('a half of a surrogate pair becomes U+FFFD, and a row that is not ours is named', async () => {
  const [found] = await read(await written([{ id: '1', text: 'a\ud83d', meta: {} }]));
  expect(found!.text).toBe('a\ufffd');
  const blob = await written([{ id: '1', text: 'a', meta: { url: 'u' } }]);
  await expect(read(blob, { text: 'body' })).rejects.toThrow(
    'x.parquet: row 1 has no "body" that is a string; its fields are url, id, text',
  );
});
