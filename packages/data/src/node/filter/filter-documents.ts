import { stepsOf } from '../../documents/steps.js';
import { type Amount, addTally, emptyTally, type StepTally } from '../../documents/tally.js';
import { checkWhole } from '../../errors.js';
import { type Input, inputUnits } from '../inputs.js';
import { inRunFolder, readUnitReports, writeReport } from '../run-folder.js';
import { doOpenUnits } from '../unit-run.js';
import { rowReader } from './read-rows.js';
import { type FilterSettings, filterWorker } from './unit-work.js';

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
  const files: Record<string, string> = {};
  const tally = emptyTally(stepsOf(steps, 'pipeline', rowReader(files)));
  const settings = { steps, rejects, gzip };
  const units = await inputUnits(inputs, { size: unitBytes });
  const parts = ['documents', 'units', ...(rejects ? ['rejects'] : [])];
  const planned = Object.keys(files).length > 0 ? { ...settings, files } : settings;
  return inRunFolder(folder, parts, { command: 'filter', settings: planned, units }, async () => {
    const entry = new URL('./worker.js', import.meta.url);
    const data = { folder, settings };
    await doOpenUnits({ folder, units, entry, workOf: filterWorker, data, workers, onProgress });
    for await (const of of readUnitReports<StepTally[]>(folder, units.length)) addTally(tally, of);
    const report = { read: tally[0]!.read, kept: tally.at(-1)!.kept, steps: tally };
    await writeReport(folder, report);
    return report;
  });
}
