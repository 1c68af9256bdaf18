import { decodeText } from '../decode-text.js';
import { DataError } from '../errors.js';
import { type Examples, exampleOf, formatOf, problemOf } from './check-example.js';
import { type ExampleFormat, keysOf } from './formats.js';

/**
 * The examples of a file of JSON lines: an object a line, all of one format. Blank lines are left out.
 *
 * @param name the file's, for errors
 * @param accepted the formats that can be learned from; the first line decides which of them the file has
 * @throws DataError for an empty file, bytes that are not UTF-8, and showing the first line that is not JSON or not of the
 * format, with what was expected
 * @example
 * const { examples } = parseExamples(bytes, 'chats.jsonl', ['messages']);
 */
export function parseExamples<F extends ExampleFormat>(
  bytes: Uint8Array,
  name: string,
  accepted: readonly F[],
): Examples<F> {
  const { rows, places } = parseRows(bytes, name);
  return checkExamples(rows, { name, accepted, places });
}

/** The rows of a file, with where each of them stands. */
export interface Rows {
  readonly rows: readonly unknown[];
  /** Counted from 1: a line of JSON lines, a row of Parquet. */
  readonly places: readonly number[];
}

/** The values of JSON lines, without blank ones. */
export function parseRows(bytes: Uint8Array, name: string): Rows {
  const lines = decodeText(bytes, name).split('\n');
  const rows: unknown[] = [];
  const places: number[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    rows.push(jsonOf(line, `${name}:${i + 1}`, i === lines.length - 1));
    places.push(i + 1);
  }
  return { rows, places };
}

/** What is said of rows in errors. */
export interface RowOptions<F extends ExampleFormat> {
  /** The file's name. */
  name: string;
  /** The formats that can be learned from; the first row decides which of them all rows have. */
  accepted: readonly F[];
  /** Where each row stands, counted from 1; default its number. */
  places?: readonly number[] | undefined;
}

/**
 * Rows, as a Parquet file or a program has them, as examples of one format.
 *
 * @throws DataError where there is none, and showing the first row that is not of the format, with what was expected
 */
export function checkExamples<F extends ExampleFormat>(
  rows: readonly unknown[],
  { name, accepted, places = rows.map((_, i) => i + 1) }: RowOptions<F>,
): Examples<F> {
  if (rows.length === 0) {
    throw new DataError(`${name}: holds no example; expected ${choice(accepted)}`);
  }
  const format = formatOf(rows[0], accepted);
  if (!format) {
    throw new DataError(
      `${name}:${places[0]}: ${excerpt(rows[0])} is not an example; expected ${choice(accepted)}`,
    );
  }
  const examples = rows.map((row, i) => {
    const problem = problemOf(row, format);
    if (problem === undefined) return exampleOf(row as Record<string, unknown>, format);
    throw new DataError(`${name}:${places[i]}: ${excerpt(row)}: ${problem}`);
  });
  return { format, examples, places } as unknown as Examples<F>;
}

const choice = (accepted: readonly ExampleFormat[]): string =>
  `an object a line with ${accepted.map(keysOf).join(', or with ')}`;

function jsonOf(line: string, place: string, isLast: boolean): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    const cut = isLast ? '. The file ends within this line, so it may be cut off' : '';
    throw new DataError(
      `${place}: ${shortened(line)} is not JSON: ${(error as Error).message}; expected an object${cut}`,
      { cause: error },
    );
  }
}

const excerpt = (row: unknown): string => shortened(JSON.stringify(row) ?? String(row));

const shortened = (text: string): string => (text.length > 100 ? `${text.slice(0, 97)}…` : text);
