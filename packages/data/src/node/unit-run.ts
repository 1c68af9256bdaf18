import type { InputUnit } from './inputs.js';
import { isThere, unitReportFile } from './run-folder.js';
import { type Work, workerPool } from './worker-pool.js';

/** A unit and its number, which names its files. */
export interface NumberedUnit {
  readonly number: number;
  readonly unit: InputUnit;
}

/** Units of a run, and what does them. */
export interface UnitRun<Data> {
  readonly folder: string;
  readonly units: readonly InputUnit[];
  /** The module of a thread, which calls `serveTasks` with `workOf`. */
  readonly entry: URL;
  readonly workOf: (data: Data) => Work<NumberedUnit>;
  readonly data: Data;
  readonly workers: number;
  readonly onProgress: ((done: number, total: number) => void) | undefined;
  /** Whether a unit falls to this process; default: all do. */
  readonly isOurs?: ((unit: number) => boolean) | undefined;
}

/**
 * Does the units of a run folder that have no report yet, in threads; calls `onProgress` before the first and after each.
 *
 * @returns how many units are done
 */
export async function doOpenUnits<Data>({
  folder,
  units,
  entry,
  workOf,
  data,
  workers,
  onProgress,
  isOurs = () => true,
}: UnitRun<Data>): Promise<number> {
  const ours = [...units.entries()].filter(([number]) => isOurs(number));
  const open: NumberedUnit[] = [];
  for (const [number, unit] of ours) {
    if (!(await isThere(unitReportFile(folder, number)))) open.push({ number, unit });
  }
  let done = ours.length - open.length;
  onProgress?.(done, ours.length);
  if (open.length === 0) return done;
  const pool = workerPool(entry, workOf, data, Math.min(workers, open.length));
  const onDone = () => {
    done++;
    onProgress?.(done, ours.length);
  };
  await pool.run(open, onDone).finally(pool.close);
  return done;
}
