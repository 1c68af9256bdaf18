import type { InputUnit } from './inputs.js';
import { isThere, unitReportFile } from './run-folder.js';
import { type Work, workerPool } from './worker-pool.js';

/** How a run over documents is carried out; its output does not depend on the first two. */
export interface UnitRunOptions {
  /** Threads, 1 for the calling one. Default 1. */
  readonly workers?: number | undefined;
  /** Called with how many of all pieces of work are done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Bytes of a unit of plain JSON lines or Parquet. Default 16 MiB. */
  readonly unitBytes?: number | undefined;
}

/** A unit and its number, which names its files. */
export interface NumberedUnit {
  readonly number: number;
  readonly unit: InputUnit;
}

/** All units of a run, with their numbers. */
export const numbered = (units: readonly InputUnit[]): NumberedUnit[] =>
  units.map((unit, number) => ({ number, unit }));

/** Units of a run, and what does them. */
export interface UnitRun<Data, Task extends NumberedUnit> extends UnitRunOptions {
  readonly folder: string;
  readonly tasks: readonly Task[];
  /** The module of a thread, which calls `serveTasks` with `workOf`. */
  readonly entry: URL;
  readonly workOf: (data: Data) => Work<Task>;
  readonly data: Data;
  /** The file of a unit that is done. Default its report. */
  readonly doneFile?: ((folder: string, unit: number) => string) | undefined;
}

/** Does the units that are not done yet, in threads; calls `onProgress` before the first and after each. */
export async function doOpenUnits<Data, Task extends NumberedUnit>({
  folder,
  tasks,
  entry,
  workOf,
  data,
  workers = 1,
  onProgress,
  doneFile = unitReportFile,
}: UnitRun<Data, Task>): Promise<void> {
  const open: Task[] = [];
  for (const task of tasks) {
    if (!(await isThere(doneFile(folder, task.number)))) open.push(task);
  }
  let done = tasks.length - open.length;
  onProgress?.(done, tasks.length);
  if (open.length === 0) return;
  const pool = workerPool(entry, workOf, data, Math.min(workers, open.length));
  const onDone = () => {
    done++;
    onProgress?.(done, tasks.length);
  };
  await pool.run(open, onDone).finally(pool.close);
}
