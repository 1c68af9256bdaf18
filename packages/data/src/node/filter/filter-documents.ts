import { once } from 'node:events';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { lockFile, makeFolder, openFile, writeFile } from '@headwise/files';
import { stepsOf } from '../../documents/steps.js';
import { type Amount, addTally, emptyTally, type StepTally } from '../../documents/tally.js';
import { checkWhole, DataError } from '../../errors.js';
import { type LineUnit, lineUnits } from '../line-units.js';
import {
  type FilterSettings,
  type FilterTask,
  filterWorker,
  isGzip,
  reportFile,
} from './unit-work.js';
import type { Failure } from './worker.js';

/** Options of `filterDocuments`. */
export interface FilterOptions extends FilterSettings {
  /** Threads, 1 for the calling one. Default 1. */
  readonly workers?: number | undefined;
  /** Called with how many of all units are done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Bytes of a unit of plain JSON lines. Default 64 MiB. */
  readonly unitBytes?: number | undefined;
}

/** What stayed, and what each step did. */
export interface FilterReport {
  readonly read: Amount;
  readonly kept: Amount;
  readonly steps: readonly StepTally[];
}

/**
 * Takes documents of JSON lines, plain or gzip, through steps, into `documents/*.jsonl` of a folder, in bounded memory.
 *
 * Each unit of work is written under temporary names, and its counts last: a run that was killed goes on where it was when called
 * again, and ends with the same bytes, as does any number of workers.
 *
 * @param inputs files, or folders whose `.jsonl` and `.jsonl.gz` files are read in the order of their paths
 * @param folder created if it does not exist; may hold the beginnings of the same run
 * @throws DataError naming the line that is not a document, or a folder that holds another run; FileError naming a file
 */
export async function filterDocuments(
  inputs: readonly string[],
  folder: string,
  { steps, rejects = false, workers = 1, onProgress, unitBytes }: FilterOptions,
): Promise<FilterReport> {
  checkWhole('workers', workers, 1);
  const tally = emptyTally(stepsOf(steps, 'pipeline'));
  const settings = { steps, rejects };
  const units = await unitsOf(inputs, unitBytes);
  const parts = ['documents', 'units', ...(rejects ? ['rejects'] : [])];
  for (const name of ['', ...parts]) await makeFolder(join(folder, name));
  const lock = await lockFile(join(folder, '.lock'));
  try {
    await checkPlan(folder, await planOf(units, settings));
    for (const name of parts) await removeLeftovers(join(folder, name));
    const tasks = units.map((unit, number) => ({ unit, number }));
    const open: FilterTask[] = [];
    for (const task of tasks) {
      if ((await readIfThere(reportFile(folder, task.number))) === undefined) open.push(task);
    }
    let done = tasks.length - open.length;
    onProgress?.(done, tasks.length);
    await runTasks(folder, settings, workers, open, () => onProgress?.(++done, tasks.length));
    for (const { number } of tasks) {
      addTally(tally, JSON.parse(await readFile(reportFile(folder, number), 'utf8')));
    }
    const report = { read: tally[0]!.read, kept: tally.at(-1)!.kept, steps: tally };
    await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    return report;
  } finally {
    await lock.release();
  }
}

/** Ranges of plain files, and whole gzip files. */
async function unitsOf(inputs: readonly string[], size?: number): Promise<LineUnit[]> {
  const files = (await Promise.all(inputs.map(filesAt))).flat();
  const units: LineUnit[] = [];
  for (const path of files) {
    if (!isGzip(path)) units.push(...(await lineUnits([path], size)));
    else {
      const { handle, size: end } = await openFile(path);
      await handle.close();
      units.push({ path, start: 0, end });
    }
  }
  return units;
}

async function filesAt(path: string): Promise<string[]> {
  const found = await stat(path).catch((cause) => {
    throw new DataError(`${path}: cannot be read: ${cause.message}`, { cause });
  });
  if (!found.isDirectory()) return [path];
  const all = await readdir(path, { recursive: true });
  const names = all.filter((name) => /\.jsonl(?:\.gz)?$/.test(name));
  if (names.length === 0) {
    throw new DataError(`${path}: holds no .jsonl or .jsonl.gz file, expected at least one`);
  }
  return names.sort().map((name) => join(path, name));
}

/** Does all tasks, in some threads or in this one; the first failure ends it. */
async function runTasks(
  folder: string,
  settings: FilterSettings,
  workers: number,
  tasks: readonly FilterTask[],
  done: () => void,
): Promise<void> {
  const rest = tasks.values();
  let failed = false;
  const drain = async (work: (task: FilterTask) => Promise<void>) => {
    for (const task of rest) {
      if (failed) return;
      await work(task).catch((error) => {
        failed = true;
        throw error;
      });
      done();
    }
  };
  if (workers === 1) return drain(filterWorker(folder, settings));
  const threads = Array.from(
    { length: Math.min(workers, tasks.length) },
    () => new Worker(new URL('./worker.js', import.meta.url), { workerData: { folder, settings } }),
  );
  try {
    const results = await Promise.allSettled(threads.map((thread) => drain(workOf(thread))));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function workOf(thread: Worker): (task: FilterTask) => Promise<void> {
  return async (task) => {
    thread.postMessage(task);
    // A thread that dies emits 'error', and `once` rejects with it.
    const [{ failed }] = (await once(thread, 'message')) as [{ failed?: Failure }];
    if (failed) throw new DataError(failed.message);
  };
}

/** Everything that the output depends on, as a file. */
async function planOf(units: readonly LineUnit[], settings: FilterSettings): Promise<string> {
  const inputs = await Promise.all(
    [...new Set(units.map(({ path }) => path))].map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return { path, bytes: size, modified: new Date(mtimeMs).toISOString() };
    }),
  );
  const cuts = units.map(({ start }) => start);
  return `${JSON.stringify({ command: 'filter', ...settings, inputs, cuts })}\n`;
}

async function checkPlan(folder: string, plan: string): Promise<void> {
  const path = join(folder, 'plan.json');
  const before = await readIfThere(path);
  if (before !== undefined && before !== plan) {
    throw new DataError(
      `${path}: is of a run with other inputs or settings; give another folder, or remove this one`,
    );
  }
  if (before !== undefined) return;
  const names = (await readdir(join(folder, 'documents'))).filter((name) => !leftover.test(name));
  if (names.length > 0) {
    throw new DataError(
      `${folder}: holds documents but no plan.json, expected an empty folder or a run to go on with`,
    );
  }
  await writeFile(path, plan);
}

/** The temporary name of a file that a killed run was writing. */
const leftover = /^\..*\.tmp$/;

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (leftover.test(name)) await rm(join(folder, name));
}

const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
