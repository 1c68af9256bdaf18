import type { TrainStep } from '@headwise/training';
import { z } from 'zod';

/** A step of training. */
export type StepEntry = Pick<
  TrainStep,
  'step' | 'loss' | 'gradientNorm' | 'learningRate' | 'lossScale' | 'skipped' | 'ms'
> & {
  /** Tokens predicted; absent in older histories. */
  tokens?: number | undefined;
  /** What the batch says of itself, such as the mean reward of completions. */
  measures?: Readonly<Record<string, number>> | undefined;
};

/** A measurement on the validation part after so many steps; bits per byte of a text only. */
export interface ValidationEntry {
  step: number;
  validation: {
    loss: number;
    bitsPerByte?: number | undefined;
    /** What else is measured, by name, such as `token accuracy`. */
    metrics?: Readonly<Record<string, number>> | undefined;
  };
}

/** What the model writes, and the right answer, where it is known. */
export interface Sample {
  prompt: string;
  text: string;
  temperature: number;
  expected?: string | undefined;
}

/** What the model wrote after so many steps. */
export interface SampleEntry {
  step: number;
  sample: Sample;
}

/** An entry of a run's history. */
export type HistoryEntry = StepEntry | ValidationEntry | SampleEntry;

const step = z.number().int().min(0);
/** The form of an entry. */
export const historyEntry: z.ZodType<HistoryEntry> = z.union([
  z.object({
    step,
    validation: z.object({
      loss: z.number(),
      bitsPerByte: z.number().optional(),
      metrics: z.record(z.string(), z.number()).optional(),
    }),
  }),
  z.object({
    step,
    sample: z.object({
      prompt: z.string(),
      text: z.string(),
      temperature: z.number(),
      expected: z.string().optional(),
    }),
  }),
  z.object({
    step,
    loss: z.number(),
    gradientNorm: z.number().optional(),
    learningRate: z.number(),
    lossScale: z.number().optional(),
    skipped: z.literal(true).optional(),
    ms: z.number(),
    tokens: z.number().optional(),
    measures: z.record(z.string(), z.number()).optional(),
  }),
]);

/** The entries of a history's lines, and how many lines cannot be read. */
export function parseHistory(text: string): { entries: HistoryEntry[]; unreadable: number } {
  const lines = text.split('\n').filter((line) => line !== '');
  const read = lines.flatMap((line) => {
    try {
      const { data } = historyEntry.safeParse(JSON.parse(line));
      return data ? [data] : [];
    } catch {
      return [];
    }
  });
  return { entries: read, unreadable: lines.length - read.length };
}

export function historyText(history: readonly HistoryEntry[]): string {
  return history.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

/** The part of a history up to a step, for a run that resumes there; later steps are computed again. */
export function historyBefore(history: readonly HistoryEntry[], steps: number): HistoryEntry[] {
  return history.filter((entry) => ('loss' in entry ? entry.step < steps : entry.step <= steps));
}

/** Whether a validation was noted after so many steps. */
export function hasValidation(history: readonly HistoryEntry[], steps: number): boolean {
  return history.some((entry) => 'validation' in entry && entry.step === steps);
}
