import type { Document } from './document.js';
import type { Step } from './step.js';

/** Documents, and the bytes of their texts in UTF-8. */
export interface Amount {
  documents: number;
  bytes: number;
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
}

/** A document that a step dropped, and by which rule. */
export interface Rejection {
  readonly step: string;
  readonly rule: string;
}

const nothing = (): Amount => ({ documents: 0, bytes: 0 });

/** A tally of a pipeline before its first document. */
export function emptyTally(steps: readonly Step[]): StepTally[] {
  return steps.map(({ name }) => ({
    step: name,
    read: nothing(),
    kept: nothing(),
    rewritten: nothing(),
    dropped: {},
  }));
}

/** Adds the counts of `other`, of the same steps, to `tally`. */
export function addTally(tally: readonly StepTally[], other: readonly StepTally[]): void {
  for (const [i, { read, kept, rewritten, dropped }] of other.entries()) {
    const into = tally[i]!;
    add(into.read, read);
    add(into.kept, kept);
    add(into.rewritten, rewritten);
    for (const [rule, amount] of Object.entries(dropped)) add(ruleOf(into, rule), amount);
  }
}

/** Takes a document through steps, and counts: the document as it leaves the last one, or why it was dropped. */
export async function applySteps(
  document: Document,
  steps: readonly Step[],
  tally: readonly StepTally[],
): Promise<Document | Rejection> {
  let current = document;
  let bytes = byteLength(current.text);
  for (const [i, step] of steps.entries()) {
    const counts = tally[i]!;
    add(counts.read, { documents: 1, bytes });
    const applied = step.apply(current);
    const outcome = applied instanceof Promise ? await applied : applied;
    if (typeof outcome === 'string') {
      add(ruleOf(counts, outcome), { documents: 1, bytes });
      return { step: step.name, rule: outcome };
    }
    if (outcome.text !== current.text) {
      bytes = byteLength(outcome.text);
      add(counts.rewritten, { documents: 1, bytes });
    }
    add(counts.kept, { documents: 1, bytes });
    current = outcome;
  }
  return current;
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
