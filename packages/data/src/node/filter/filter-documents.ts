import { stepsOf } from '../../documents/steps.js';
import { type Amount, addTally, emptyTally, type StepTally } from '../../documents/tally.js';
import { checkWhole } from '../../errors.js';
import { type Input, inputUnits } from '../inputs.js';
import {
  inRunFolder,
  isThere,
  readUnitReports,
  unitReportFile,
  writeReport,
} from '../run-folder.js';
import { workerPool } from '../worker-pool.js';
import { type FilterSettings, type FilterTask, filterWorker } from './unit-work.js';

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
 * Takes documents through steps, into `documents/*.jsonl` of a folder, in bounded memory.
 *
 * Each unit of work is written under temporary names, and its counts last: a run that was killed goes on where it was when called
 * again, and ends with the same bytes, as does any number of workers.
 *
 * @param inputs files, folders, globs and addresses, in any format of `readDocuments`
 * @param folder created if it does not exist; may hold the beginnings of the same run
 * @throws DataError naming what is not a document, or a folder that holds another run; FileError naming a file
 */
export async function filterDocuments(
  inputs: readonly Input[],
  folder: string,
  { steps, rejects = false, gzip = false, workers = 1, onProgress, unitBytes }: FilterOptions,
): Promise<FilterReport> {
  checkWhole('workers', workers, 1);
  const tally = emptyTally(stepsOf(steps, 'pipeline'));
  const settings = { steps, rejects, gzip };
  const units = await inputUnits(inputs, { size: unitBytes });
  const parts = ['documents', 'units', ...(rejects ? ['rejects'] : [])];
  return inRunFolder(folder, parts, { command: 'filter', settings, units }, async () => {
    const open: FilterTask[] = [];
    for (const [number, unit] of units.entries()) {
      if (!(await isThere(unitReportFile(folder, number)))) open.push({ number, unit });
    }
    let done = units.length - open.length;
    onProgress?.(done, units.length);
    if (open.length > 0) {
      const entry = new URL('./worker.js', import.meta.url);
      const threads = Math.min(workers, open.length);
      const pool = workerPool(entry, filterWorker, { folder, settings }, threads);
      await pool.run(open, () => onProgress?.(++done, units.length)).finally(pool.close);
    }
    for await (const of of readUnitReports<StepTally[]>(folder, units.length)) addTally(tally, of);
    const report = { read: tally[0]!.read, kept: tally.at(-1)!.kept, steps: tally };
    await writeReport(folder, report);
    return report;
  });
}
