import { parquetRows } from '../readers/parquet.js';
import type { Examples } from './check-example.js';
import type { ExampleFormat } from './formats.js';
import { checkExamples, parseExamples } from './parse-examples.js';

/**
 * The examples of a file of JSON lines or of Parquet, which its first bytes tell apart.
 *
 * @param name the file's, for errors
 * @param accepted the formats that can be learned from; the first example decides which of them the file has
 * @throws DataError for a file that is empty, cut off or not UTF-8, and showing the first line or row that is not of the format,
 * with what was expected
 * @see https://parquet.apache.org/docs/file-format/
 * @example
 * const { examples } = await readExamples(bytes, 'chats.parquet', ['messages']);
 */
export async function readExamples<F extends ExampleFormat>(
  bytes: Uint8Array,
  name: string,
  accepted: readonly F[],
): Promise<Examples<F>> {
  if (!isParquet(bytes)) return parseExamples(bytes, name, accepted);
  return checkExamples(await parquetExamples(bytes, name), { name, accepted });
}

const isParquet = (bytes: Uint8Array): boolean =>
  String.fromCharCode(...bytes.subarray(0, 4)) === 'PAR1';

async function parquetExamples(bytes: Uint8Array, name: string): Promise<unknown[]> {
  const size = bytes.length;
  const file = {
    name,
    size,
    read: async (start: number, end: number) => bytes.subarray(start, end),
  };
  const rows: unknown[] = [];
  for await (const row of parquetRows(file, { start: 0, end: Number.POSITIVE_INFINITY })) {
    rows.push(row);
  }
  return rows;
}
