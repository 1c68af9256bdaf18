import { z } from 'zod';

const step = z.number().int().min(0);
const losses = z.object({
  step,
  loss: z.number(),
  gradientNorm: z.number(),
  learningRate: z.number(),
  ms: z.number(),
});
const validation = z.object({
  step,
  validation: z.object({ loss: z.number(), bitsPerByte: z.number() }),
});
const schema = z.union([validation, losses]);

/** A line of a run's history: the losses of a step, or a validation after so many steps. */
export type HistoryEntry = z.infer<typeof schema>;

/** The lines of a history, and how many of them cannot be read. */
export function parseHistory(text: string): { entries: HistoryEntry[]; unreadable: number } {
  const lines = text.split('\n').filter((line) => line !== '');
  const entries = lines.flatMap((line) => {
    try {
      const { data } = schema.safeParse(JSON.parse(line));
      return data ? [data] : [];
    } catch {
      return [];
    }
  });
  return { entries, unreadable: lines.length - entries.length };
}

export function historyText(entries: readonly HistoryEntry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

/** The part of a history up to a step, for a run that resumes there; later steps are computed again. */
export function historyBefore(entries: readonly HistoryEntry[], steps: number): HistoryEntry[] {
  return entries.filter((entry) =>
    'validation' in entry ? entry.step <= steps : entry.step < steps,
  );
}

/** Whether a validation was written down after so many steps. */
export function hasValidation(history: readonly HistoryEntry[], steps: number): boolean {
  return history.some((entry) => 'validation' in entry && entry.step === steps);
}
