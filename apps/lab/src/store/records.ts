import type { HistoryEntry } from '@headwise/runs';
import type { RunConfig } from '../model/run-config.js';

/** Where a run stands. */
export type RunStatus = 'preparing' | 'running' | 'paused' | 'stopped' | 'done' | 'failed';

/** What is kept of a run besides its history and its checkpoint. */
export interface RunRecord {
  id: string;
  name: string;
  config: RunConfig;
  status: RunStatus;
  createdAt: number;
  /** Steps made. */
  step: number;
  /** Seconds of training. */
  seconds: number;
  vocabSize?: number;
  parameters?: number;
  /** The step of the saved state, where there is one. */
  checkpoint?: number;
  /** SHA-256 of the text that it learns from. */
  corpus?: string;
  /** The run and the step that it goes on from. */
  forkOf?: { id: string; step: number };
  /** Why it failed. */
  problem?: string;
  /** What the visitor should know before going on with it. */
  note?: string;
  loss?: number;
  validationLoss?: number;
}

/** One step of a run's history. */
export interface StepPoint {
  step: number;
  /** Seconds of training at its end. */
  seconds: number;
  loss: number;
  gradientNorm: number;
  learningRate: number;
  tokensPerSecond: number;
  /** Bytes of tensors after the step; NaN where it was made elsewhere. */
  memory: number;
}

/** A measurement on what is held back. */
export interface ValidationPoint {
  step: number;
  seconds: number;
  loss: number;
  /** Of a text. */
  bitsPerByte?: number;
}

/** What a model wrote at a step. */
export interface Sample {
  step: number;
  prompt: string;
  text: string;
  temperature: number;
  expected?: string;
}

/** What is new of a run. */
export interface RunNews {
  points: StepPoint[];
  validations: ValidationPoint[];
  samples: Sample[];
}

export const noNews = (): RunNews => ({ points: [], validations: [], samples: [] });

/**
 * Adds an entry of a run's history to its news, with the seconds of training up to it, and takes its figures into the record.
 *
 * @param memory bytes of tensors now
 */
export function addEntry(
  record: RunRecord,
  news: RunNews,
  entry: HistoryEntry,
  memory: number,
): void {
  const { step } = entry;
  if ('loss' in entry) {
    const { loss, gradientNorm = Number.NaN, learningRate, ms, tokens = Number.NaN } = entry;
    record.step = step + 1;
    record.seconds += ms / 1000;
    record.loss = loss;
    const { seconds } = record;
    const tokensPerSecond = (tokens / ms) * 1000;
    news.points.push({ step, seconds, loss, gradientNorm, learningRate, tokensPerSecond, memory });
  } else if ('validation' in entry) {
    const { loss, bitsPerByte } = entry.validation;
    record.validationLoss = loss;
    const bits = bitsPerByte === undefined ? {} : { bitsPerByte };
    news.validations.push({ step, seconds: record.seconds, loss, ...bits });
  } else {
    const { expected, ...sample } = entry.sample;
    news.samples.push({ step, ...sample, ...(expected === undefined ? {} : { expected }) });
  }
}

/** The part of a history up to a step. */
export function historyUpTo({ points, validations, samples }: RunNews, steps: number): RunNews {
  return {
    points: points.filter(({ step }) => step < steps),
    validations: validations.filter(({ step }) => step <= steps),
    samples: samples.filter(({ step }) => step <= steps),
  };
}

/** The entries of a history in the order in which they were made, as a run's folder keeps them. */
export function entriesOf({ points, validations, samples }: RunNews): HistoryEntry[] {
  const made: { at: number; entry: HistoryEntry }[] = points.map((point, i) => {
    const { step, loss, gradientNorm, learningRate, seconds, tokensPerSecond } = point;
    const ms = 1000 * (seconds - (points[i - 1]?.seconds ?? 0));
    const tokens = Number.isNaN(tokensPerSecond)
      ? {}
      : { tokens: Math.round((tokensPerSecond * ms) / 1000) };
    return { at: step + 1, entry: { step, loss, gradientNorm, learningRate, ms, ...tokens } };
  });
  for (const { step, loss, bitsPerByte } of validations) {
    const bits = bitsPerByte === undefined ? {} : { bitsPerByte };
    made.push({ at: step, entry: { step, validation: { loss, ...bits } } });
  }
  for (const { step, ...sample } of samples) made.push({ at: step, entry: { step, sample } });
  return made.sort((a, b) => a.at - b.at).map(({ entry }) => entry);
}

/** Puts what is new of a run after what is known of it. */
export function append(history: RunNews, news: Partial<RunNews>): void {
  for (const point of news.points ?? []) history.points.push(point);
  for (const validation of news.validations ?? []) history.validations.push(validation);
  for (const sample of news.samples ?? []) history.samples.push(sample);
}
