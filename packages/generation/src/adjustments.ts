import { InputError } from '@headwise/core';
import { mostConstrained, type Plan } from './plan.js';
import { completedWords } from './processors/bad-words.js';
import { forcedIds } from './processors/forced.js';
import { decayAfter } from './processors/length-decay.js';
import { repeatedEnds } from './processors/ngrams.js';
import { biasesAfter } from './processors/sequence-bias.js';

/** What processors that look at ids only make of the scores of single tokens. */
export interface Adjustments {
  /** Added to scores, by id. */
  readonly bias: ReadonlyMap<number, number>;
  /** The ids that are not drawn. */
  readonly banned: ReadonlySet<number>;
  /** Bits of the ids that a constraint allows, 32 a word; undefined without one. The next call overwrites them. */
  readonly allowed?: Int32Array | undefined;
  /** The part of their size that the scores of stop ids grow by. */
  readonly raise: number;
}

/**
 * What the scores of the next token are adjusted by, as by Hugging Face's logits processors.
 *
 * @param sequence prompt and new tokens
 * @param made the number of new tokens in it
 */
export function adjustmentsAfter(
  plan: Plan,
  sequence: readonly number[],
  made: number,
): Adjustments {
  const banned = new Set([
    ...plan.suppressIds,
    ...repeatedEnds(sequence, sequence, plan.noRepeatNgramSize),
    ...repeatedEnds(plan.source, sequence, plan.encoderNoRepeatNgramSize),
    ...completedWords(plan.badWords, sequence),
    ...(made < plan.least ? plan.stopIds : []),
    ...(made === firstDrawn(plan, sequence.length - made) ? plan.beginSuppressIds : []),
  ]);
  const raise = plan.lengthDecay ? decayAfter(plan.lengthDecay, made) : 0;
  const allowed = plan.allowed?.after(sequence, mostConstrained(plan), banned);
  return { bias: biasesAfter(plan.biases, sequence), banned, allowed, raise };
}

/** What the scores of every token are adjusted by; `allowed` is for the next one. */
export function standingAdjustments(plan: Plan, sequence: readonly number[]): Adjustments {
  const banned = new Set([...plan.suppressIds, ...completedWords(plan.badWords, [])]);
  const allowed = plan.allowed?.after(sequence, mostConstrained(plan), banned);
  return { bias: biasesAfter(plan.biases, []), banned, allowed, raise: 0 };
}

/**
 * The ids that the next token has to be one of; undefined where any may come.
 *
 * @param made the number of new tokens in the sequence
 * @throws InputError where a constraint allows none of them
 */
export function forcedAfter(
  plan: Plan,
  sequence: readonly number[],
  made: number,
): readonly number[] | undefined {
  const ids = forcedIds(plan.forced, sequence.length, plan.most - made);
  if (!ids || !plan.allowed) return ids;
  const mask = plan.allowed.after(sequence, mostConstrained(plan));
  const allowed = ids.filter((id) => ((mask[id >> 5]! >>> (id & 31)) & 1) === 1);
  if (allowed.length > 0) return allowed;
  throw new InputError(
    `constraint: it allows none of the forced ids ${ids.join(', ')} after ${made} new tokens`,
  );
}

/**
 * The number of tokens from here on that take the standing adjustments only, whatever comes; 0 where the next takes others.
 *
 * @param made the number of new tokens so far
 */
export function standingFor(plan: Plan, made: number): number {
  const depends =
    plan.noRepeatNgramSize > 0 ||
    plan.encoderNoRepeatNgramSize > 0 ||
    plan.badWords.some((word) => word.length > 1) ||
    plan.biases.some(([ids]) => ids.length > 1);
  const begins =
    (made < plan.least && plan.stopIds.length > 0) ||
    // The first token that is drawn is the second where the first is forced.
    (made <= 1 && plan.beginSuppressIds.length > 0);
  if (depends || begins) return 0;
  if (plan.allowed) return 1;
  const left = plan.most - made - (plan.forced.last.length > 0 ? 1 : 0);
  if (!plan.lengthDecay || plan.stopIds.length === 0) return left;
  return Math.max(0, Math.min(left, plan.lengthDecay.start + 1 - made));
}

/** The number of new tokens before the first that is drawn: one where it is forced. */
const firstDrawn = ({ forced }: Plan, promptLength: number): number =>
  forced.first.length > 0 && promptLength === 1 ? 1 : 0;
