import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { JsonValue } from '@headwise/data';
import { lockFile, makeFolder, writeFile } from '@headwise/files';
import type { PromptModel } from '../prompt-model.js';
import type { TrialPlan } from '../trial/plan.js';
import type { TrialRecord } from '../trial/record.js';
import { type TrialReport, type TrialReportOptions, trialReport } from '../trial/report.js';
import { runTrial } from '../trial/run-trial.js';
import { checkBootstrap } from '../trial/statistics/bootstrap.js';
import { Journal } from './journal.js';
import { beginRun, type RunDescription, runNames } from './run-description.js';

/** Options of `trialInFolder`. */
export interface TrialFolderOptions extends Omit<TrialReportOptions, 'seconds'> {
  readonly model: PromptModel;
  /** What the plan does not say of itself, such as how examples are chosen; a run that goes on must have the same. */
  readonly source?: JsonValue | undefined;
  /** Ends the work from outside, with its reason as the error; the next call goes on from there. */
  readonly signal?: AbortSignal | undefined;
  /** Called before the first answer and after every part. */
  readonly onProgress?: ((progress: TrialProgress) => void) | undefined;
}

/** How far a trial is. */
export interface TrialProgress {
  /** Answers that there are, and that there will be. */
  readonly done: number;
  readonly answers: number;
  /** Those of them that are right. */
  readonly correct: number;
}

/** Part of the answers, as the journal keeps them. */
interface TrialEntry {
  readonly seconds: number;
  readonly records: readonly TrialRecord[];
}

const names = { ...runNames, answers: 'answers.jsonl', report: 'report.json' };

/**
 * Runs a trial in a folder: `answers.jsonl` has every prompt and answer, `report.json` what they come to, `run.json` what was tried, and
 * `journal.jsonl` the answers as they came, with their times.
 *
 * A trial that was ended, by a kill too, goes on when it is called again. The same plan, model and backend give the same `answers.jsonl`, byte for byte:
 * times are in the journal and the report alone.
 *
 * @throws InputError for options out of range, before the first question, and where the folder holds another run, naming what differs; LockedError while one is under way in it; FileError; what `runTrial` throws
 * @example
 * const report = await trialInFolder('trial', planTrial({ prompts, examples }), { model });
 */
export async function trialInFolder(
  folder: string,
  plan: TrialPlan,
  { model, source = null, signal, onProgress, ...options }: TrialFolderOptions,
): Promise<TrialReport> {
  checkBootstrap(options);
  await makeFolder(folder);
  const lock = await lockFile(join(folder, '.lock'));
  try {
    await beginRun(folder, description(plan, model, source));
    const path = join(folder, names.journal);
    const countOf = ({ records }: TrialEntry) => ({
      done: records.length,
      correct: records.filter(({ correct }) => correct).length,
    });
    const journal = await Journal.open(path, countOf);
    try {
      const answers = plan.variants.length * plan.examples.length;
      const at = { done: 0, correct: 0 };
      const add = (count: { done: number; correct: number }) => {
        at.done += count.done;
        at.correct += count.correct;
      };
      for (const count of journal.past) add(count);
      onProgress?.({ ...at, answers });
      for await (const { records, seconds } of runTrial(model, plan, { done: at.done, signal })) {
        await journal.append({ seconds, records });
        add(countOf({ seconds, records }));
        onProgress?.({ ...at, answers });
      }
    } finally {
      await journal.close();
    }
    await writeFile(join(folder, names.answers), answerLines(path));
    const report = trialReport(...(await readResults(path, options)));
    await writeFile(join(folder, names.report), `${JSON.stringify(report, null, 2)}\n`);
    return report;
  } finally {
    await lock.release();
  }
}

function description(plan: TrialPlan, model: PromptModel, source: JsonValue): RunDescription {
  const hashOf = (value: unknown) =>
    createHash('sha256').update(JSON.stringify(value)).digest('hex');
  return JSON.parse(
    JSON.stringify({
      trial: plan.prompts.map(({ definition }) => definition),
      variants: plan.variants.map(({ condition, seed, order }) => [condition, seed, order]),
      model: { name: model.name, revision: model.revision ?? null },
      ...{ generation: plan.generation, batch: plan.batch },
      examples: hashOf(plan.examples),
      pool: hashOf(plan.pool),
      source,
    }),
  ) as RunDescription;
}

/** The records without their prompts, which are most of their size, and how long each condition took. */
async function readResults(
  path: string,
  options: TrialReportOptions,
): Promise<[TrialRecord[], TrialReportOptions]> {
  const all: TrialRecord[] = [];
  const seconds = new Map<string, number>();
  for await (const entry of Journal.read<TrialEntry>(path)) {
    const { condition } = entry.records[0]!;
    seconds.set(condition, (seconds.get(condition) ?? 0) + entry.seconds);
    for (const record of entry.records) all.push({ ...record, calls: [] });
  }
  return [all, { ...options, seconds }];
}

async function* answerLines(path: string): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const { records } of Journal.read<TrialEntry>(path)) {
    yield encoder.encode(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }
}
