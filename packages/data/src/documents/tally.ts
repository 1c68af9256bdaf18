import { DataError } from '../errors.js';
import type { Document } from './document.js';
import type { Measure, MeasuredOutcome, Outcome, Step } from './step.js';

/** Documents, and the bytes of their texts in UTF-8. */
export interface Amount {
  documents: number;
  bytes: number;
}

/** How many documents have a measured value in each bin. */
export interface MeasureHistogram extends Measure {
  /** One more than there are edges: those below the first, between two, and from the last on. */
  readonly counts: number[];
}

/** What a step did with the documents that reached it. */
export interface StepTally {
  readonly step: string;
  readonly read: Amount;
  readonly kept: Amount;
  /** Kept with another text. */
  readonly rewritten: Amount;
  /** Dropped, by rule. */
  readonly dropped: Record<string, Amount>;
  /** Of a step that measures: the documents that it read, by value. */
  readonly measured?: MeasureHistogram | undefined;
}

/** A document that a step dropped, and by which rule. */
export interface Rejection {
  readonly step: string;
  readonly rule: string;
  /** What the step measured. */
  readonly value?: number | undefined;
}

const nothing = (): Amount => ({ documents: 0, bytes: 0 });

/** A tally of a pipeline before its first document. */
export function emptyTally(steps: readonly Step[]): StepTally[] {
  return steps.map(({ name, measure }) => ({
    step: name,
    read: nothing(),
    kept: nothing(),
    rewritten: nothing(),
    dropped: {},
    ...(measure && {
      measured: { ...measure, counts: new Array<number>(measure.edges.length + 1).fill(0) },
    }),
  }));
}

/** Adds the counts of `other`, of the same steps, to `tally`. */
export function addTally(tally: readonly StepTally[], other: readonly StepTally[]): void {
  for (const [i, { read, kept, rewritten, dropped, measured }] of other.entries()) {
    const into = tally[i]!;
    add(into.read, read);
    add(into.kept, kept);
    add(into.rewritten, rewritten);
    for (const [rule, amount] of Object.entries(dropped)) add(ruleOf(into, rule), amount);
    for (const [bin, count] of measured?.counts.entries() ?? []) {
      into.measured!.counts[bin]! += count;
    }
  }
}

/** How many documents the steps take at once. */
export const batchOf = (steps: readonly Step[]): number =>
  Math.max(1, ...steps.map(({ batch = 1 }) => batch));

/**
 * Takes documents through steps, and counts.
 *
 * @returns each document as it leaves the last step, or why it was dropped, in their order
 * @throws DataError where a step has no outcome for each document
 */
export async function applySteps(
  documents: readonly Document[],
  steps: readonly Step[],
  tally: readonly StepTally[],
): Promise<(Document | Rejection)[]> {
  const results: (Document | Rejection)[] = [...documents];
  const bytes = documents.map(({ text }) => byteLength(text));
  let left = [...documents.keys()];
  for (const [i, step] of steps.entries()) {
    if (left.length === 0) break;
    const counts = tally[i]!;
    const read = left.map((n) => results[n] as Document);
    const outcomes = await step.apply(read);
    if (outcomes.length !== read.length) {
      throw new DataError(
        `${step.name}: has ${outcomes.length} outcomes for ${read.length} documents, expected one for each`,
      );
    }
    left = left.filter((n, at) => {
      const { outcome, value } = measuredOutcome(outcomes[at]!);
      add(counts.read, { documents: 1, bytes: bytes[n]! });
      if (value !== undefined && counts.measured) count(counts.measured, value);
      if (typeof outcome === 'string') {
        add(ruleOf(counts, outcome), { documents: 1, bytes: bytes[n]! });
        results[n] = { step: step.name, rule: outcome, ...(value !== undefined && { value }) };
        return false;
      }
      if (outcome.text !== read[at]!.text) {
        bytes[n] = byteLength(outcome.text);
        add(counts.rewritten, { documents: 1, bytes: bytes[n]! });
      }
      add(counts.kept, { documents: 1, bytes: bytes[n]! });
      results[n] = outcome;
      return true;
    });
  }
  return results;
}

const measuredOutcome = (given: Outcome | MeasuredOutcome): MeasuredOutcome =>
  typeof given === 'object' && 'outcome' in given ? given : { outcome: given, value: undefined };

/** Adds a value to its bin. */
function count({ edges, counts }: MeasureHistogram, value: number): void {
  const above = edges.findIndex((edge) => value < edge);
  counts[above < 0 ? edges.length : above]!++;
}

function ruleOf({ dropped }: StepTally, rule: string): Amount {
  dropped[rule] ??= nothing();
  return dropped[rule];
}

function add(into: Amount, { documents, bytes }: Amount): void {
  into.documents += documents;
  into.bytes += bytes;
}

/** Bytes of a text in UTF-8; a lone surrogate takes three, as the replacement character does. */
function byteLength(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    bytes += code < 0x800 ? 1 : 2;
    const pair = (code & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
    if (pair) i += 1;
  }
  return bytes;
}
