import { parseWith } from '@headwise/models/internal';
import { z } from 'zod';
import { type HistoryEntry, historyEntry, type StepEntry } from '../history.js';
import type { RunConfig } from '../run-config.js';
import type { TrialSettings } from './trials.js';

/** What a trial has come to. */
export interface TrialResult {
  name: string;
  settings: TrialSettings;
  /** The whole run's file of the trial. */
  config: RunConfig;
  /** `open`: not begun, or not ended. */
  status: 'open' | 'done' | 'failed';
  /** Why it failed. */
  problem?: string | undefined;
  /** Losses and validations, of long runs averaged into some hundred entries. */
  history: readonly HistoryEntry[];
}

/** A sweep with the results of its trials: `sweep.json` of its folder, which the lab opens. */
export interface SweepFile {
  headwise: 'sweep';
  /** The axes as they were given, and the random search. */
  search: { grid: readonly string[]; random?: { count: number; seed: number } | undefined };
  trials: readonly TrialResult[];
}

const schema = z.strictObject({
  headwise: z.literal('sweep'),
  search: z.strictObject({
    grid: z.array(z.string()),
    random: z.strictObject({ count: z.number(), seed: z.number() }).optional(),
  }),
  trials: z.array(
    z.strictObject({
      name: z.string(),
      settings: z.record(z.string(), z.unknown()),
      config: z.looseObject({}),
      status: z.enum(['open', 'done', 'failed']),
      problem: z.string().optional(),
      history: z.array(historyEntry),
    }),
  ),
});

/** Whether a document is meant as a sweep. */
export const isSweepFile = (json: unknown): boolean =>
  typeof json === 'object' && json !== null && (json as SweepFile).headwise === 'sweep';

/**
 * Reads a sweep's file.
 *
 * @param name the file's, for errors
 * @throws InputError with a line a problem
 */
export function parseSweepFile(json: unknown, name = 'sweep.json'): SweepFile {
  return parseWith(schema, json, name) as unknown as SweepFile;
}

/** The losses of a run, and what was measured last on the validation part. */
export interface TrialMeasures {
  /** Steps made. */
  steps: number;
  /** Training loss of the last step, nats a token. */
  loss?: number | undefined;
  validationLoss?: number | undefined;
  bitsPerByte?: number | undefined;
}

/** What a history comes to. */
export function measuresOf(history: readonly HistoryEntry[]): TrialMeasures {
  const last = history.findLast((entry): entry is StepEntry => 'loss' in entry);
  const measured = history.findLast((entry) => 'validation' in entry);
  const { loss, bitsPerByte } = measured?.validation ?? {};
  return { steps: last ? last.step + 1 : 0, loss: last?.loss, validationLoss: loss, bitsPerByte };
}

/** A measure that trials are compared by, the less the better. */
export type SweepMeasure = 'bitsPerByte' | 'validationLoss';

/** Bits per byte, which does not depend on the tokenizer, where every trial that has ended has it; else the validation loss. */
export function measureOf(trials: readonly TrialResult[]): SweepMeasure {
  const done = trials.filter(({ status }) => status === 'done');
  const all = done.every(({ history }) => measuresOf(history).bitsPerByte !== undefined);
  return done.length > 0 && all ? 'bitsPerByte' : 'validationLoss';
}

/** Trials from the best to the worst; those without a result stay in their order at the end. */
export function ranked(
  trials: readonly TrialResult[],
): readonly (TrialResult & { value: number | undefined })[] {
  const measure = measureOf(trials);
  return trials
    .map((trial) => ({
      ...trial,
      value: trial.status === 'done' ? measuresOf(trial.history)[measure] : undefined,
    }))
    .sort((a, b) => (a.value ?? Infinity) - (b.value ?? Infinity) || 0);
}

const mostEntries = 400;

/** A history without samples, its steps averaged into some hundred; the last step stays as it is. */
export function thinned(history: readonly HistoryEntry[]): HistoryEntry[] {
  const steps = history.filter((entry) => 'loss' in entry);
  const width = Math.ceil(steps.length / mostEntries);
  const kept: HistoryEntry[] = history.filter((entry) => 'validation' in entry);
  const last = width > 1 ? steps.length - 1 : steps.length;
  for (let i = 0; i < last; i += width) {
    const group = steps.slice(i, Math.min(i + width, last));
    kept.push(width === 1 ? group[0]! : joined(group));
  }
  if (width > 1) kept.push(steps.at(-1)!);
  const end = (entry: HistoryEntry) => ('loss' in entry ? entry.step + 1 : entry.step);
  return kept.sort((a, b) => end(a) - end(b));
}

/** Several steps as one: their mean loss, and the time and tokens of all. */
function joined(group: readonly StepEntry[]): StepEntry {
  const sum = (of: (entry: StepEntry) => number) => group.reduce((s, entry) => s + of(entry), 0);
  const { tokens, measures: _, ...last } = group.at(-1)!;
  return {
    ...last,
    loss: sum(({ loss }) => loss) / group.length,
    ms: sum(({ ms }) => ms),
    ...(tokens === undefined ? {} : { tokens: sum((entry) => entry.tokens ?? 0) }),
  };
}
