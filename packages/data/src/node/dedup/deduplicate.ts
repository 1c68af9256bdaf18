import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFile } from '@headwise/files';
import { BitSet, Clusters } from '../../dedup/clusters.js';
import { mergeRuns, type StoredRun } from '../../dedup/key-run.js';
import { repeatedSubstrings } from '../../dedup/substrings.js';
import { checkWhole } from '../../errors.js';
import { type Input, type InputUnit, inputUnits, readUnit } from '../inputs.js';
import {
  inRunFolder,
  isThere,
  readReport,
  readUnitReports,
  unitReportFile,
  writeReport,
} from '../run-folder.js';
import { workerPool } from '../worker-pool.js';
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
export interface DeduplicateOptions extends DedupSettings {
  /** Threads, 1 for the calling one. Default 1. */
  readonly workers?: number | undefined;
  /** Called with how many of all pieces of work are done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Bytes of a unit of work. Default 16 MiB. */
  readonly unitBytes?: number | undefined;
}

/** What stayed and what went, over all documents. */
export interface DedupReport extends UnitReport {
  readonly method: string;
  readonly units: number;
}

/**
 * Removes duplicates from documents, into `documents/*.jsonl` of a folder, in bounded memory.
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
  const { workers = 1, onProgress, unitBytes, method, minhash, length } = options;
  checkWhole('workers', workers, 1);
  if (length !== undefined) checkWhole('length', length, 1);
  const settings = {
    method,
    ...(minhash && { minhash }),
    ...(length !== undefined && { length }),
  };
  const units = await inputUnits(inputs, { size: unitBytes });
  const parts = ['keys', 'units', 'documents'];
  return inRunFolder(folder, parts, { command: 'dedup', settings, units }, async () => {
    const before = await readReport<DedupReport>(folder);
    if (before) return before;
    const report = await run(units, folder, settings, workers, onProgress);
    await writeReport(folder, report);
    await rm(join(folder, 'keys'), { recursive: true });
    return report;
  });
}

async function run(
  units: readonly InputUnit[],
  folder: string,
  settings: DedupSettings,
  workers: number,
  onProgress?: (done: number, total: number) => void,
): Promise<DedupReport> {
  const total = 2 * units.length + 1;
  let done = 0;
  const step = () => onProgress?.(++done, total);
  const tasks = units.map((unit, number): UnitTask => ({ kind: 'keys', number, unit, first: 0 }));
  /** Leaves out what a run before has done. */
  const open = async (file: (folder: string, unit: number) => string) => {
    const there = await Promise.all(tasks.map(({ number }) => isThere(file(folder, number))));
    for (const found of there) if (found) step();
    return tasks.filter((_, i) => !there[i]);
  };
  const entry = new URL('./worker.js', import.meta.url);
  const pool = workerPool(entry, dedupWorker, { folder, settings }, workers);
  try {
    if (settings.method === 'substring') {
      await writeSpans(units, folder, settings.length ?? 200);
      for (const task of tasks) {
        Object.assign(task, { kind: 'write' });
        step();
      }
      step();
      await pool.run(await open(unitReportFile), step);
    } else {
      await pool.run(await open(keyFile), step);
      const runs: StoredRun[] = [];
      let items = 0;
      for (const task of tasks) {
        const { counts, run } = await readKeyFile(keyFile(folder, task.number), items);
        Object.assign(task, { kind: 'write', first: items });
        runs.push(run);
        items += counts.items;
      }
      if (!(await isThere(repeatedFile(folder)))) {
        await writeFile(repeatedFile(folder), await repeatedOf(runs, items, settings));
      }
      step();
      await pool.run(await open(unitReportFile), step);
    }
  } finally {
    await pool.close();
  }
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
