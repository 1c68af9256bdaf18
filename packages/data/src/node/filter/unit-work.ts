import type { Document } from '../../documents/document.js';
import type { Step } from '../../documents/step.js';
import { type StepSettings, stepsOf } from '../../documents/steps.js';
import { applySteps, emptyTally, type StepTally } from '../../documents/tally.js';
import { readUnit } from '../inputs.js';
import { writeUnitReport } from '../run-folder.js';
import { type OutputSettings, writeUnitDocuments } from '../unit-output.js';
import type { NumberedUnit } from '../unit-run.js';
import type { Work } from '../worker-pool.js';
import { Channel } from './channel.js';
import { rowReader } from './read-rows.js';

/** What is done with documents, and whether those that are dropped are stored. */
export interface FilterSettings extends OutputSettings {
  readonly steps: readonly StepSettings[];
  /** Writes `rejects/` too, each document with `rejected: { step, rule }`. Default false. */
  readonly rejects?: boolean | undefined;
}

/** What a run's workers are given. */
export interface FilterRun {
  readonly folder: string;
  readonly settings: FilterSettings;
}

/** Does the work of units, in the main thread or in a worker. */
export function filterWorker({ folder, settings }: FilterRun): Work<NumberedUnit> {
  const steps = stepsOf(settings.steps, 'pipeline', rowReader());
  return (task) => filterUnit(folder, steps, settings, task);
}

/** Writes a unit's documents, then its rejects, and last its counts: a unit with counts is done. */
async function filterUnit(
  folder: string,
  steps: readonly Step[],
  { rejects: storeRejects = false, format, gzip }: FilterSettings,
  { number, unit }: NumberedUnit,
): Promise<void> {
  const tally: StepTally[] = emptyTally(steps);
  const rejects = new Channel<Document>(({ text }) => text.length);
  const rejectsWritten = storeRejects
    ? writeUnitDocuments(folder, 'rejects', number, rejects, { format, gzip })
    : Promise.resolve();
  rejectsWritten.catch(() => {}); // awaited below
  async function* kept(): AsyncGenerator<Document> {
    for await (const { line: _, ...document } of readUnit(unit)) {
      const outcome = await applySteps(document, steps, tally);
      if (!('rule' in outcome)) yield outcome;
      else if (storeRejects) {
        const { step, rule } = outcome;
        const rejected = { ...document, meta: { ...document.meta, rejected: { step, rule } } };
        // Where the file cannot be written, nobody takes what is pushed.
        await Promise.race([rejects.push(rejected), rejectsWritten]);
      }
    }
  }
  try {
    await writeUnitDocuments(folder, 'documents', number, kept(), { format, gzip });
    rejects.end();
  } catch (error) {
    rejects.fail(error);
    throw error;
  } finally {
    await rejectsWritten;
  }
  await writeUnitReport(folder, number, tally);
}
