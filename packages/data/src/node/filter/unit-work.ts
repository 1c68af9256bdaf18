import type { Step } from '../../documents/step.js';
import { type StepSettings, stepsOf } from '../../documents/steps.js';
import { applySteps, emptyTally, type StepTally } from '../../documents/tally.js';
import { lineOf } from '../document-lines.js';
import { readUnit } from '../inputs.js';
import { writeUnitLines, writeUnitReport } from '../run-folder.js';
import type { NumberedUnit } from '../unit-run.js';
import type { Work } from '../worker-pool.js';
import { Channel } from './channel.js';
import { rowReader } from './read-rows.js';

/** What is done with documents, and whether those that are dropped are stored. */
export interface FilterSettings {
  readonly steps: readonly StepSettings[];
  /** Writes `rejects/*.jsonl`, each document with `rejected: { step, rule }`. Default false. */
  readonly rejects?: boolean | undefined;
  /** Writes `.jsonl.gz` instead of `.jsonl`. Default false. */
  readonly gzip?: boolean | undefined;
}

/** What a run's workers are given. */
export interface FilterRun {
  readonly folder: string;
  readonly settings: FilterSettings;
}

/** Does the work of units, in the main thread or in a worker. */
export function filterWorker({ folder, settings }: FilterRun): Work<NumberedUnit> {
  const { rejects = false, gzip = false } = settings;
  const steps = stepsOf(settings.steps, 'pipeline', rowReader());
  return (task) => filterUnit(folder, steps, { rejects, gzip }, task);
}

/** Writes a unit's documents, then its rejects, and last its counts: a unit with counts is done. */
async function filterUnit(
  folder: string,
  steps: readonly Step[],
  { rejects: storeRejects, gzip }: { readonly rejects: boolean; readonly gzip: boolean },
  { number, unit }: NumberedUnit,
): Promise<void> {
  const tally: StepTally[] = emptyTally(steps);
  const rejects = new Channel();
  const rejectsWritten = storeRejects
    ? writeUnitLines(folder, 'rejects', number, rejects, gzip)
    : Promise.resolve();
  rejectsWritten.catch(() => {}); // awaited below
  async function* kept(): AsyncGenerator<Uint8Array> {
    for await (const { line: _, ...document } of readUnit(unit)) {
      const outcome = await applySteps(document, steps, tally);
      if (!('rule' in outcome)) yield lineOf(outcome);
      else if (storeRejects) {
        const { step, rule } = outcome;
        // Where the file cannot be written, nobody takes what is pushed.
        await Promise.race([rejects.push(lineOf(document, { step, rule })), rejectsWritten]);
      }
    }
  }
  try {
    await writeUnitLines(folder, 'documents', number, kept(), gzip);
    rejects.end();
  } catch (error) {
    rejects.fail(error);
    throw error;
  } finally {
    await rejectsWritten;
  }
  await writeUnitReport(folder, number, tally);
}
