import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFile } from '@headwise/files';
import { BitSet, Clusters } from '../../dedup/clusters.js';
import { mergeRuns, type StoredRun } from '../../dedup/key-run.js';
import { repeatedSubstrings } from '../../dedup/substrings.js';
import { checkWhole } from '../../errors.js';
import { type Input, type InputUnit, inputUnits, readUnit } from '../inputs.js';
import { inRunFolder, isThere, readReport, readUnitReports, writeReport } from '../run-folder.js';
import { outputSettings } from '../unit-output.js';
import { doOpenUnits, numbered, type UnitRunOptions } from '../unit-run.js';
import { readKeyFile } from './key-file.js';
import {
  type DedupSettings,
  dedupWorker,
  keyFile,
  repeatedFile,
  spansFile,
  type UnitReport,
  type UnitTask,
} from './unit-work.js';

/** Options of `deduplicate`. */
export interface DeduplicateOptions extends DedupSettings, UnitRunOptions {}

/** What stayed and what went, over all documents. */
export interface DedupReport extends UnitReport {
  readonly method: string;
  readonly units: number;
}

/**
 * Removes duplicates from documents, into the parts `documents/` of a folder, as JSON lines or Parquet, in bounded memory.
 *
 * The first document of each cluster stays; with the other methods the first of each part or span, and documents with nothing else go.
 * A unit's sorted keys, the set of what is repeated, and a unit's output are each written under a temporary name and renamed: a run
 * that was killed goes on where it was when called again, and ends with the same bytes, as does any number of workers.
 *
 * @param inputs files, folders, globs and addresses, in any format of `readDocuments`
 * @param folder created if it does not exist; may hold the beginnings of the same run
 * @throws DataError naming what is not a document, or a folder that holds another run; FileError naming a file
 */
export async function deduplicate(
  inputs: readonly Input[],
  folder: string,
  options: DeduplicateOptions,
): Promise<DedupReport> {
  const { workers = 1, onProgress, unitBytes, method, minhash, length, ...output } = options;
  checkWhole('workers', workers, 1);
  if (length !== undefined) checkWhole('length', length, 1);
  const settings = {
    method,
    ...(minhash && { minhash }),
    ...(length !== undefined && { length }),
    ...outputSettings(output),
  };
  const units = await inputUnits(inputs, { size: unitBytes, out: folder });
  const parts = ['keys', 'units', 'documents'];
  return inRunFolder(folder, parts, { command: 'dedup', settings, units }, async () => {
    const before = await readReport<DedupReport>(folder);
    if (before) return before;
    const report = await run(units, folder, settings, { workers, onProgress });
    await writeReport(folder, report);
    await rm(join(folder, 'keys'), { recursive: true });
    return report;
  });
}

async function run(
  units: readonly InputUnit[],
  folder: string,
  settings: DedupSettings,
  { workers, onProgress }: UnitRunOptions,
): Promise<DedupReport> {
  const total = 2 * units.length + 1;
  /** Work on all units, when so many pieces are done before. */
  const pass = (before: number, tasks: readonly UnitTask[], doneFile?: typeof keyFile) =>
    doOpenUnits({
      folder,
      tasks,
      entry: new URL('./worker.js', import.meta.url),
      workOf: dedupWorker,
      data: { folder, settings },
      workers,
      onProgress: (done) => onProgress?.(before + done, total),
      doneFile,
    });
  const firsts: number[] = [];
  if (settings.method === 'substring') {
    await writeSpans(units, folder, settings.length ?? 200);
  } else {
    const tasks = numbered(units).map((unit): UnitTask => ({ ...unit, kind: 'keys', first: 0 }));
    await pass(0, tasks, keyFile);
    const runs: StoredRun[] = [];
    let items = 0;
    for (const { number } of tasks) {
      const { counts, run } = await readKeyFile(keyFile(folder, number), items);
      firsts.push(items);
      runs.push(run);
      items += counts.items;
    }
    if (!(await isThere(repeatedFile(folder)))) {
      await writeFile(repeatedFile(folder), await repeatedOf(runs, items, settings));
    }
  }
  const writing = numbered(units).map(
    (unit, i): UnitTask => ({ ...unit, kind: 'write', first: firsts[i] ?? 0 }),
  );
  await pass(units.length + 1, writing);
  const report = { documents: 0, kept: 0, parts: 0, bytes: 0, keptBytes: 0 };
  for await (const of of readUnitReports<UnitReport>(folder, units.length)) {
    for (const key of Object.keys(report) as (keyof UnitReport)[]) report[key] += of[key];
  }
  return { method: settings.method, units: units.length, ...report };
}

/** Writes the spans to remove from the documents of each unit: all texts at once are in memory. */
async function writeSpans(
  units: readonly InputUnit[],
  folder: string,
  length: number,
): Promise<void> {
  if (await isThere(spansFile(folder, units.length - 1))) return;
  const texts: string[] = [];
  const ends: number[] = [];
  for (const unit of units) {
    for await (const { text } of readUnit(unit)) texts.push(text);
    ends.push(texts.length);
  }
  const spans = repeatedSubstrings(texts, length);
  for (const [unit, end] of ends.entries()) {
    const lines = spans.slice(ends[unit - 1] ?? 0, end).map((of) => JSON.stringify(of));
    await writeFile(spansFile(folder, unit), lines.join('\n'));
  }
}

/** One bit for each item, set where it repeats one before it. */
async function repeatedOf(
  runs: readonly StoredRun[],
  items: number,
  { method }: DedupSettings,
): Promise<Uint8Array> {
  const repeated = new BitSet(items);
  if (method === 'minhash') {
    const clusters = new Clusters(items);
    await mergeRuns(runs, (first, later) => clusters.join(first, later));
    for (let i = 0; i < items; i++) if (clusters.firstOf(i) !== i) repeated.add(i);
  } else await mergeRuns(runs, (_, later) => repeated.add(later));
  return repeated.bytes;
}
