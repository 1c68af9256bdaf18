import { join } from 'node:path';
import { readBytes, writeFile } from '@headwise/files';
import { BitSet } from '../../dedup/clusters.js';
import { withoutRepeatedParts } from '../../dedup/find-duplicates.js';
import { KeyBuffer } from '../../dedup/key-run.js';
import { MinHash, type MinHashOptions } from '../../dedup/minhash.js';
import { type Span, withoutSpans } from '../../dedup/substrings.js';
import { partKey, partsOf, textKey } from '../../dedup/text-keys.js';
import { DataError } from '../../errors.js';
import { type LineUnit, readLines } from '../line-units.js';
import { writeKeyFile } from './key-file.js';

/**
 * What is compared: whole texts when simplified, their MinHash signatures, their lines or paragraphs, or every substring of a
 * length, for which all texts are held in memory.
 */
export type DedupMethod = 'exact' | 'minhash' | 'line' | 'paragraph' | 'substring';

/** How documents are compared. */
export interface DedupSettings {
  readonly method: DedupMethod;
  /** Options of `'minhash'`. */
  readonly minhash?: MinHashOptions | undefined;
  /** Bytes of the shortest span that `'substring'` removes. Default 200. */
  readonly length?: number | undefined;
}

/** What became of a unit's documents. */
export interface UnitReport {
  readonly documents: number;
  readonly kept: number;
  /** Lines, paragraphs or spans removed from documents. */
  readonly parts: number;
  /** Bytes of the documents' texts in UTF-8. */
  readonly bytes: number;
  readonly keptBytes: number;
}

/** A unit, what is to be done with it, and the number of its first item. */
export interface UnitTask {
  readonly kind: 'keys' | 'write';
  readonly number: number;
  readonly unit: LineUnit;
  readonly first: number;
}

export const keyFile = (folder: string, unit: number): string =>
  join(folder, 'keys', `${unitName(unit)}.keys`);
export const repeatedFile = (folder: string): string => join(folder, 'keys', 'repeated.bits');
export const reportFile = (folder: string, unit: number): string =>
  join(folder, 'units', `${unitName(unit)}.json`);
/** The spans to remove from a unit's documents, a line each. */
export const spansFile = (folder: string, unit: number): string =>
  join(folder, 'keys', `${unitName(unit)}.spans`);
const documentsFile = (folder: string, unit: number) =>
  join(folder, 'documents', `${unitName(unit)}.jsonl`);
const unitName = (unit: number) => String(unit).padStart(5, '0');

/** Does the work of units, in the main thread or in a worker; what is repeated is read once. */
export function unitWorker(
  folder: string,
  settings: DedupSettings,
): (task: UnitTask) => Promise<void> {
  let repeated: Promise<BitSet> | undefined;
  return async (task) => {
    if (task.kind === 'keys') return writeKeys(folder, settings, task);
    if (settings.method === 'substring') {
      const lines = decoder.decode(await readBytes(spansFile(folder, task.number))).split('\n');
      return writeDocuments(folder, task, (text, _, number) => {
        const spans = JSON.parse(lines[number]!) as Span[];
        return { text: withoutSpans(text, spans), items: 0, removed: spans.length };
      });
    }
    repeated ??= readBytes(repeatedFile(folder)).then((bytes) => new BitSet(0, bytes));
    await writeDocuments(folder, task, cutter(settings.method, await repeated));
  };
}

/** Writes the sorted keys of a unit. */
async function writeKeys(
  folder: string,
  { method, minhash }: DedupSettings,
  { unit, number }: UnitTask,
): Promise<void> {
  const buffer = new KeyBuffer();
  const hasher = method === 'minhash' ? new MinHash(minhash) : undefined;
  let documents = 0;
  let items = 0;
  const add = (keys: Uint32Array | undefined) => {
    if (keys) buffer.add(keys, items);
    items++;
  };
  for await (const line of readLines(unit)) {
    const { text } = parseDocument(line.bytes, unit.path, line.at);
    documents++;
    if (method === 'exact') add(textKey(text));
    else if (hasher) add(hasher.keys(text));
    else for (const part of partsOf(text, method as 'line' | 'paragraph')) add(partKey(part));
  }
  await writeKeyFile(keyFile(folder, number), buffer.take(), { documents, items });
}

/** What stays of a text, undefined for nothing, given the number of its first item and its number in the unit. */
type Cut = (
  text: string,
  item: number,
  number: number,
) => { text: string | undefined; items: number; removed: number };

/** Removes documents, or their lines or paragraphs, that are repeated. */
function cutter(method: Exclude<DedupMethod, 'substring'>, repeated: BitSet): Cut {
  if (method === 'exact' || method === 'minhash') {
    return (text, item) => ({
      text: repeated.has(item) ? undefined : text,
      items: 1,
      removed: 0,
    });
  }
  return (text, item) => {
    const { parts, ...cut } = withoutRepeatedParts(text, method, repeated, item);
    return { ...cut, items: parts };
  };
}

/** Writes the documents of a unit that stay, each line as it was read unless parts were removed, and then its report. */
async function writeDocuments(
  folder: string,
  { unit, number, first }: UnitTask,
  cut: Cut,
): Promise<void> {
  const report = { documents: 0, kept: 0, parts: 0, bytes: 0, keptBytes: 0 };
  let item = first;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const { bytes, at } of readLines(unit)) {
      const document = parseDocument(bytes, unit.path, at);
      const { text, items, removed } = cut(document.text, item, report.documents);
      item += items;
      report.documents++;
      report.bytes += Buffer.byteLength(document.text);
      report.parts += removed;
      if (text === undefined || (removed > 0 && text.trim() === '')) continue;
      report.kept++;
      report.keptBytes += Buffer.byteLength(text);
      yield removed === 0 ? bytes : Buffer.from(JSON.stringify({ ...document, text }));
      yield lineEnd;
    }
  }
  await writeFile(documentsFile(folder, number), inBlocks(chunks()));
  await writeFile(reportFile(folder, number), `${JSON.stringify(report)}\n`);
}

const lineEnd = Uint8Array.of(0x0a);
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function parseDocument(bytes: Uint8Array, path: string, at: number): { text: string } {
  const where = `${path}: the line at byte ${at}`;
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new DataError(`${where} is not JSON in UTF-8: ${(cause as Error).message}`, { cause });
  }
  if (typeof (value as { text?: unknown } | null)?.text === 'string') {
    return value as { text: string };
  }
  throw new DataError(`${where} has no "text", expected an object with a string of that name`);
}

/** Joins small pieces, so that each write is of a megabyte. */
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
