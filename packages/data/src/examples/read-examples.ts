import { parquetRows } from '../readers/parquet.js';
import type { Examples } from './check-example.js';
import type { ExampleFormat } from './formats.js';
import { checkExamples, parseRows, type Rows } from './parse-examples.js';

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
  const { rows, places } = await readRows(bytes, name);
  return checkExamples(rows, { name, accepted, places });
}

/**
 * The rows of a file of JSON lines or of Parquet, whatever they hold; blank lines are left out.
 *
 * @param name the file's, for errors
 * @throws DataError for a file that is cut off or not UTF-8, and showing the first line that is not JSON
 * @example
 * const { rows, places } = await readRows(bytes, 'queries.jsonl');
 */
export async function readRows(bytes: Uint8Array, name: string): Promise<Rows> {
  if (!isParquet(bytes)) return parseRows(bytes, name);
  const rows = await parquetExamples(bytes, name);
  return { rows, places: rows.map((_, n) => n + 1) };
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
