import { stat } from 'node:fs/promises';
import { isAbsolute, relative, sep } from 'node:path';
import { isMissing } from '@headwise/files';
import { glob, isDynamicPattern } from 'tinyglobby';
import { DataError } from '../errors.js';
import { type ByteFile, httpFile } from '../readers/byte-file.js';
import { type DocumentFormat, documentFormats, formatOf } from '../readers/formats.js';
import { parquetRanges } from '../readers/parquet.js';
import { formatsOf, readDocuments } from '../readers/read-documents.js';
import type { RecordFields, SourceDocument } from '../readers/source-document.js';
import { diskFile, nodeDecompressors } from './disk-file.js';

/** What files of documents are read, and how; a string is a path. */
export type Input = string | InputSettings;

/** Files of documents. */
export interface InputSettings extends RecordFields {
  /** A file, a folder with all files of documents below it, a glob, or an address. */
  readonly path: string;
  /** Default: what each file's ending says. */
  readonly format?: DocumentFormat | undefined;
}

/** A piece of an input that is processed as one: lines that begin in a range of bytes, row groups, or a whole file. */
export interface InputUnit extends InputSettings {
  readonly start: number;
  readonly end: number;
}

/** Bytes of a unit: its overhead is small, a kill loses little of its work, and 100 MB keep several workers busy to the end. */
const unitBytes = 16 * 2 ** 20;

/** Whether an input is an address. */
export const isAddress = (path: string): boolean => /^https?:\/\//.test(path);

/**
 * Cuts inputs into units: plain JSON lines every `size` bytes, Parquet between row groups; other files are whole.
 *
 * The files of a folder or a glob come in the order of their paths.
 * @param options `out` is the folder that the output goes to
 * @throws DataError naming what cannot be read, the folder or glob without files of documents, and the input that `out` lies in
 */
export async function inputUnits(
  inputs: readonly Input[],
  {
    size = unitBytes,
    out,
  }: { readonly size?: number | undefined; readonly out?: string | undefined } = {},
): Promise<InputUnit[]> {
  const units: InputUnit[] = [];
  for (const input of inputs) {
    const settings = settingsOf(input);
    if (out !== undefined && !isAddress(settings.path) && isWithin(settings.path, out)) {
      throw new DataError(
        `${out}: is within the input ${settings.path}, whose documents the output would be; expected a folder outside of it`,
      );
    }
    for (const path of await filesAt(settings)) {
      const ranges = await withFile(path, (file) => rangesOf(file, settings, size));
      for (const range of ranges) units.push({ ...settings, path, ...range });
    }
  }
  return units;
}

/** The documents of a unit, one after the other. */
export async function* readUnit({ path, ...options }: InputUnit): AsyncGenerator<SourceDocument> {
  const file = await openInput(path);
  try {
    yield* readDocuments(file, { ...options, decompressors: nodeDecompressors });
  } finally {
    await file.close();
  }
}

/**
 * The documents of inputs, one after the other, in bounded memory.
 *
 * @throws DataError naming the file, the place in it, and what was expected
 * @example
 * for await (const { id, text } of openInputs(['raw/*.warc.gz', { path: 'a.csv', text: 'body' }])) show(id, text);
 */
export async function* openInputs(inputs: readonly Input[]): AsyncGenerator<SourceDocument> {
  for (const unit of await inputUnits(inputs)) yield* readUnit(unit);
}

/** What a run's plan says of an input's file, by which a changed one is known. */
export async function inputVersion(path: string): Promise<object> {
  if (isAddress(path)) return withFile(path, async ({ size }) => ({ path, bytes: size }));
  const { size, mtimeMs } = await stat(path);
  return { path, bytes: size, modified: new Date(mtimeMs).toISOString() };
}

/** Which values a setting of an input may have. */
const settingChecks: Readonly<Record<string, [string, (value: unknown) => boolean]>> = {
  path: ['a path, a glob or an address', isName],
  text: ['the name of a field', (value) => value === undefined || isName(value)],
  id: ['the name of a field', (value) => value === undefined || isName(value)],
  maxBytes: [
    'a whole number of at least 1',
    (value) => value === undefined || (Number.isSafeInteger(value) && (value as number) > 0),
  ],
  format: [
    `one of ${documentFormats.join(', ')}`,
    (value) => value === undefined || documentFormats.includes(value as DocumentFormat),
  ],
};

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function settingsOf(input: Input): InputSettings {
  const settings = Object(typeof input === 'string' ? { path: input } : input) as InputSettings;
  const unknown = Object.keys(settings).find((key) => !Object.hasOwn(settingChecks, key));
  if (unknown !== undefined) {
    const keys = Object.keys(settingChecks).join(', ');
    throw new DataError(`inputs: '${unknown}' is not a key of an input; expected ${keys}`);
  }
  for (const [key, [expected, isGood]] of Object.entries(settingChecks)) {
    const value = settings[key as keyof InputSettings];
    if (!isGood(value)) {
      throw new DataError(`inputs: ${key} is ${JSON.stringify(value)}; expected ${expected}`);
    }
  }
  return settings;
}

async function rangesOf(file: ByteFile, { format: given, text, id }: InputSettings, size: number) {
  const { format, compression } = formatsOf(file, given);
  if ((format === 'text' || format === 'warc') && (text ?? id) !== undefined) {
    throw new DataError(
      `${file.name}: its format is ${format}, which has no field ${JSON.stringify(text ?? id)}; leave out text and id`,
    );
  }
  if (file.size === 0) return [];
  if (format === 'parquet') return parquetRanges(file, size);
  if (format !== 'jsonl' || compression) return [{ start: 0, end: file.size }];
  const count = Math.ceil(file.size / size);
  return Array.from({ length: count }, (_, i) => ({
    start: i * size,
    end: Math.min(file.size, (i + 1) * size),
  }));
}

async function filesAt({ path, format }: InputSettings): Promise<string[]> {
  if (isAddress(path)) return [path];
  const found = await stat(path).catch((cause) => {
    if (isMissing(cause) && isDynamicPattern(path)) return undefined;
    throw new DataError(`${path}: cannot be read: ${cause.message}`, { cause });
  });
  if (found && !found.isDirectory()) return [path];
  const names = found
    ? await glob('**/*', { cwd: path, absolute: true, expandDirectories: false })
    : await glob(path, { absolute: true, expandDirectories: false });
  const files = format ? names : names.filter((name) => formatOf(name).format !== undefined);
  if (files.length > 0) return files.sort();
  const what = found ? 'holds no file of documents' : 'matches no file of documents';
  throw new DataError(
    `${path}: ${what}, expected at least one: .jsonl, .csv, .txt, .parquet or .warc`,
  );
}

function isWithin(folder: string, path: string): boolean {
  const [first] = relative(folder, path).split(sep);
  return first !== '..' && !isAbsolute(first!);
}

const openInput = async (path: string) =>
  isAddress(path) ? { ...(await httpFile(path)), close: async () => {} } : diskFile(path);

async function withFile<R>(path: string, use: (file: ByteFile) => Promise<R>): Promise<R> {
  const file = await openInput(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
