import { type Amount, addTally, emptyTally, type StepTally } from '../../documents/tally.js';
import { checkWhole, DataError } from '../../errors.js';
import { type Input, inputUnits } from '../inputs.js';
import { inRunFolder, inRunFolderTogether, readUnitReports, writeReport } from '../run-folder.js';
import { outputSettings } from '../unit-output.js';
import { doOpenUnits, type NumberedUnit, numbered, type UnitRunOptions } from '../unit-run.js';
import { loadSteps } from './load-steps.js';
import { type FilterSettings, filterWorker } from './unit-work.js';

/** Options of `filterDocuments`. */
export interface FilterOptions extends FilterSettings, UnitRunOptions {}

/** Which units of a run a process takes: every `count`-th, from the one of `index`. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/** What stayed, and what each step did. */
export interface FilterReport {
  readonly read: Amount;
  readonly kept: Amount;
  readonly steps: readonly StepTally[];
}

/**
 * Takes documents through steps, into the parts `documents/` of a folder, as JSON lines or Parquet, in bounded memory.
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
  options: FilterOptions,
): Promise<FilterReport> {
  const run = await planRun(inputs, folder, options);
  return inRunFolder(folder, run.parts, run.plan, async () => {
    await filterUnits(folder, run, run.tasks, options);
    const { tally, tasks } = run;
    for await (const of of readUnitReports<StepTally[]>(folder, tasks.length)) addTally(tally, of);
    const report = { read: tally[0]!.read, kept: tally.at(-1)!.kept, steps: tally };
    await writeReport(folder, report);
    return report;
  });
}

/**
 * Does the part of `filterDocuments` that falls to one of several processes, on machines that see one folder.
 *
 * When all shards are done, `filterDocuments` adds up their counts: the folder is then that of one process, byte by byte.
 *
 * @returns how many units of the shard are done
 * @throws DataError and FileError as `filterDocuments` does
 */
export async function filterShard(
  inputs: readonly Input[],
  folder: string,
  options: FilterOptions & { readonly shard: Shard },
): Promise<number> {
  const { index, count } = options.shard;
  checkWhole('shard.count', count, 1);
  if (!(Number.isInteger(index) && index >= 0 && index < count)) {
    throw new DataError(`shard.index is ${index}; expected a whole number from 0 to ${count - 1}`);
  }
  const run = await planRun(inputs, folder, options);
  const ours = run.tasks.filter(({ number }) => number % count === index);
  await inRunFolderTogether(folder, run.parts, run.plan, () =>
    filterUnits(folder, run, ours, options),
  );
  return ours.length;
}

async function planRun(
  inputs: readonly Input[],
  folder: string,
  { steps, stepModule, rejects = false, workers = 1, unitBytes, ...output }: FilterOptions,
) {
  checkWhole('workers', workers, 1);
  const files: Record<string, string> = {};
  const tally = emptyTally(await loadSteps(steps, stepModule, files));
  const settings = { steps, rejects, ...outputSettings(output) };
  const units = await inputUnits(inputs, { size: unitBytes, out: folder });
  const parts = ['documents', 'units', ...(rejects ? ['rejects'] : [])];
  const planned = Object.keys(files).length > 0 ? { ...settings, files } : settings;
  const plan = { command: 'filter', settings: planned, units };
  const run = { ...settings, stepModule };
  return { tally, settings: run, tasks: numbered(units), parts, plan };
}

/** Processes the units that are not done. */
const filterUnits = (
  folder: string,
  { settings }: Awaited<ReturnType<typeof planRun>>,
  tasks: readonly NumberedUnit[],
  { workers, onProgress }: FilterOptions,
): Promise<void> =>
  doOpenUnits({
    folder,
    tasks,
    entry: new URL('./worker.js', import.meta.url),
    workOf: filterWorker,
    data: { folder, settings },
    workers,
    onProgress,
  });
