import { stepsOf } from '../../documents/steps.js';
import { type Amount, addTally, emptyTally, type StepTally } from '../../documents/tally.js';
import { checkWhole, DataError } from '../../errors.js';
import { type Input, inputUnits } from '../inputs.js';
import { inRunFolder, inRunFolderTogether, readUnitReports, writeReport } from '../run-folder.js';
import { doOpenUnits } from '../unit-run.js';
import { rowReader } from './read-rows.js';
import { type FilterSettings, filterWorker } from './unit-work.js';

/** Options of `filterDocuments`. */
export interface FilterOptions extends FilterSettings {
  /** Threads, 1 for the calling one. Default 1. */
  readonly workers?: number | undefined;
  /** Called with how many of all units are done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Bytes of a unit of plain JSON lines. Default 16 MiB. */
  readonly unitBytes?: number | undefined;
}

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
  options: FilterOptions,
): Promise<FilterReport> {
  const run = await planRun(inputs, options);
  return inRunFolder(folder, run.parts, run.plan, async () => {
    await filterUnits(folder, run, options);
    const { tally, units } = run;
    for await (const of of readUnitReports<StepTally[]>(folder, units.length)) addTally(tally, of);
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
  const run = await planRun(inputs, options);
  const isOurs = (unit: number) => unit % count === index;
  return inRunFolderTogether(folder, run.parts, run.plan, () =>
    filterUnits(folder, run, options, isOurs),
  );
}

async function planRun(
  inputs: readonly Input[],
  { steps, rejects = false, gzip = false, workers = 1, unitBytes }: FilterOptions,
) {
  checkWhole('workers', workers, 1);
  const files: Record<string, string> = {};
  const tally = emptyTally(stepsOf(steps, 'pipeline', rowReader(files)));
  const settings = { steps, rejects, gzip };
  const units = await inputUnits(inputs, { size: unitBytes });
  const parts = ['documents', 'units', ...(rejects ? ['rejects'] : [])];
  const planned = Object.keys(files).length > 0 ? { ...settings, files } : settings;
  return { tally, settings, units, parts, plan: { command: 'filter', settings: planned, units } };
}

/** Processes the units that are not done. @returns how many are done then */
const filterUnits = (
  folder: string,
  { settings, units }: Awaited<ReturnType<typeof planRun>>,
  { workers = 1, onProgress }: FilterOptions,
  isOurs?: (unit: number) => boolean,
): Promise<number> =>
  doOpenUnits({
    folder,
    units,
    entry: new URL('./worker.js', import.meta.url),
    workOf: filterWorker,
    data: { folder, settings },
    workers,
    onProgress,
    isOurs,
  });
