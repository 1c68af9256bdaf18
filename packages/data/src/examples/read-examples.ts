import { DataError } from '../errors.js';
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
  return checkExamples(await parquetRows(bytes, name), { name, accepted });
}

const isParquet = (bytes: Uint8Array): boolean =>
  String.fromCharCode(...bytes.subarray(0, 4)) === 'PAR1';

/** The rows of a Parquet file, as objects of what JSON has: whole numbers of 64 bits are numbers where they fit. */
async function parquetRows(bytes: Uint8Array, name: string): Promise<unknown[]> {
  // Few files are Parquet: who reads none does not load it.
  const [{ parquetReadObjects }, { compressors }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet-compressors'),
  ]);
  const strict = new TextDecoder('utf-8', { fatal: true });
  const parsers = { stringFromBytes: (text?: Uint8Array) => text && strict.decode(text) };
  const buffer = bytes.buffer as ArrayBuffer;
  const file = {
    byteLength: bytes.byteLength,
    slice: (start: number, end = bytes.byteLength) =>
      buffer.slice(bytes.byteOffset + start, bytes.byteOffset + end),
  };
  try {
    const rows = await parquetReadObjects({ file, compressors, parsers });
    return rows.map(plain);
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
