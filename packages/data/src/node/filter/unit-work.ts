import type { Document, JsonValue } from '../../documents/document.js';
import type { Step } from '../../documents/step.js';
import type { StepSettings } from '../../documents/steps.js';
import { applySteps, batchOf, emptyTally, type StepTally } from '../../documents/tally.js';
import { type InputUnit, readUnit } from '../inputs.js';
import { writeUnitReport } from '../run-folder.js';
import { type OutputSettings, writeUnitDocuments } from '../unit-output.js';
import type { NumberedUnit } from '../unit-run.js';
import type { Work } from '../worker-pool.js';
import { Channel } from './channel.js';
import { loadSteps, type StepModule } from './load-steps.js';

/** What is done with documents, and whether those that are dropped are stored. */
export interface FilterSettings extends OutputSettings {
  readonly steps: readonly StepSettings[];
  /** Where steps come from that this package does not have. */
  readonly stepModule?: StepModule | undefined;
  /** Writes `rejects/` too, each document with `rejected: { step, rule }`, and the `value` of a step that measures. Default false. */
  readonly rejects?: boolean | undefined;
}

/** What a run's workers are given. */
export interface FilterRun {
  readonly folder: string;
  readonly settings: FilterSettings;
}

/** Does the work of units, in the main thread or in a worker. */
export function filterWorker({ folder, settings }: FilterRun): Work<NumberedUnit> {
  const loaded = loadSteps(settings.steps, settings.stepModule);
  loaded.catch(() => {}); // the first unit throws it
  return Object.assign(
    async (task: NumberedUnit) => filterUnit(folder, await loaded, settings, task),
    {
      close: async () => {
        for (const step of await loaded.catch(() => [])) step.dispose?.();
      },
    },
  );
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
    for await (const documents of batchesOf(unit, batchOf(steps))) {
      const outcomes = await applySteps(documents, steps, tally);
      for (const [n, outcome] of outcomes.entries()) {
        if (!('rule' in outcome)) yield outcome;
        else if (storeRejects) {
          const { meta, ...document } = documents[n]!;
          const rejected = { ...outcome } as Record<string, JsonValue>;
          const reject = { ...document, meta: { ...meta, rejected } };
          // Where the file cannot be written, nobody takes what is pushed.
          await Promise.race([rejects.push(reject), rejectsWritten]);
        }
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

/** Characters of a batch, at most, but for one document. */
const batchCharacters = 2 ** 22;

/** The documents of a unit, so many at once: which are together depends on the unit alone. */
async function* batchesOf(unit: InputUnit, most: number): AsyncGenerator<Document[]> {
  let batch: Document[] = [];
  let characters = 0;
  for await (const { line: _, ...document } of readUnit(unit)) {
    batch.push(document);
    characters += document.text.length;
    if (batch.length < most && characters < batchCharacters) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}
