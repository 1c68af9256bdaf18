import { join } from 'node:path';
import { readBytes } from '@headwise/files';
import { BitSet } from '../../dedup/clusters.js';
import { withoutRepeatedParts } from '../../dedup/find-duplicates.js';
import { KeyBuffer } from '../../dedup/key-run.js';
import { MinHash, type MinHashOptions } from '../../dedup/minhash.js';
import { type Span, withoutSpans } from '../../dedup/substrings.js';
import { partKey, partsOf, textKey } from '../../dedup/text-keys.js';
import type { SourceDocument } from '../../readers/source-document.js';
import { readUnit } from '../inputs.js';
import { unitFile, writeUnitReport } from '../run-folder.js';
import { type OutputSettings, writeUnitDocuments } from '../unit-output.js';
import type { NumberedUnit } from '../unit-run.js';
import type { Work } from '../worker-pool.js';
import { writeKeyFile } from './key-file.js';

/**
 * What is compared: whole texts when simplified, their MinHash signatures, their lines or paragraphs, or every substring of a
 * length, for which all texts are held in memory.
 */
export type DedupMethod = 'exact' | 'minhash' | 'line' | 'paragraph' | 'substring';

/** How documents are compared, and how those that stay are written. */
export interface DedupSettings extends OutputSettings {
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
export interface UnitTask extends NumberedUnit {
  readonly kind: 'keys' | 'write';
  readonly first: number;
}

export const keyFile = (folder: string, unit: number): string =>
  unitFile(folder, 'keys', unit, 'keys');
export const repeatedFile = (folder: string): string => join(folder, 'keys', 'repeated.bits');
/** The spans to remove from a unit's documents, a line each. */
export const spansFile = (folder: string, unit: number): string =>
  unitFile(folder, 'keys', unit, 'spans');

/** What a run's workers are given. */
export interface DedupRun {
  readonly folder: string;
  readonly settings: DedupSettings;
}

/** Does the work of units, in the main thread or in a worker; what is repeated is read once. */
export function dedupWorker({ folder, settings }: DedupRun): Work<UnitTask> {
  let repeated: Promise<BitSet> | undefined;
  return async (task) => {
    if (task.kind === 'keys') return writeKeys(folder, settings, task);
    if (settings.method === 'substring') {
      const spansOf = await readBytes(spansFile(folder, task.number));
      const lines = new TextDecoder().decode(spansOf).split('\n');
      return writeDocuments(folder, settings, task, (text, _, number) => {
        const spans = JSON.parse(lines[number]!) as Span[];
        return { text: withoutSpans(text, spans), items: 0, removed: spans.length };
      });
    }
    repeated ??= readBytes(repeatedFile(folder)).then((bytes) => new BitSet(0, bytes));
    await writeDocuments(folder, settings, task, cutter(settings.method, await repeated));
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
  for await (const { text } of readUnit(unit)) {
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
  settings: OutputSettings,
  { unit, number, first }: UnitTask,
  cut: Cut,
): Promise<void> {
  const report = { documents: 0, kept: 0, parts: 0, bytes: 0, keptBytes: 0 };
  let item = first;
  // Where fields have other names, a line as it was read is not a document to the next command.
  const keepsLines = unit.text === undefined && unit.id === undefined;
  async function* kept(): AsyncGenerator<SourceDocument> {
    for await (const { line, ...document } of readUnit(unit)) {
      const { text, items, removed } = cut(document.text, item, report.documents);
      item += items;
      report.documents++;
      report.bytes += Buffer.byteLength(document.text);
      report.parts += removed;
      if (text === undefined || (removed > 0 && text.trim() === '')) continue;
      report.kept++;
      report.keptBytes += Buffer.byteLength(text);
      yield removed === 0 && keepsLines ? { ...document, line } : { ...document, text };
    }
  }
  await writeUnitDocuments(folder, 'documents', number, kept(), settings);
  await writeUnitReport(folder, number, report);
}
