import { InputError, quoted } from '@headwise/core';
import { checkId, type Plan } from '../plan.js';

/** Ids that a sequence has to contain one after the other; of several such sequences one is enough. */
export type Phrase = readonly number[] | readonly (readonly number[])[];

type Alternatives = readonly (readonly number[])[];

/** How much of its phrases a sequence contains. */
export interface Progress {
  readonly completed: number;
  /** The phrase that its last tokens began, and these tokens. */
  readonly current: { readonly phrase: Alternatives; readonly path: readonly number[] } | undefined;
  readonly pending: readonly Alternatives[];
  /** The length of the longest phrase. */
  readonly longest: number;
}

/** Whether a sequence contains every phrase. */
export const isMet = ({ current, pending }: Progress): boolean => !current && pending.length === 0;

/** The tokens that begin a phrase, or go on with the one that was begun. */
export function advancingIds({ current, pending }: Progress): number[] {
  if (current) return idsAfter(current.phrase, current.path);
  return pending.flatMap((phrase) => idsAfter(phrase, []));
}

/**
 * The progress with one more token: it goes on with the phrase that was begun, or breaks it off, or begins the first phrase that
 * it can.
 *
 * A token that breaks a phrase off does not begin another one, as in Hugging Face's constraints.
 */
export function withToken(progress: Progress, id: number): Progress {
  const { current, pending, completed } = progress;
  const phrase = current ? current.phrase : pending.find((one) => idsAfter(one, []).includes(id));
  if (!phrase) return progress;
  const others = current ? pending : pending.filter((one) => one !== phrase);
  const before = current?.path ?? [];
  if (!idsAfter(phrase, before).includes(id)) {
    return { ...progress, current: undefined, pending: [...others, phrase] };
  }
  const path = [...before, id];
  return idsAfter(phrase, path).length > 0
    ? { ...progress, current: { phrase, path }, pending: others }
    : { ...progress, current: undefined, pending: others, completed: completed + 1 };
}

/** The number of tokens towards the phrases, each phrase counted as long as the longest. */
export function bankOf({ completed, current, longest }: Progress): number {
  if (!current) return completed * longest;
  const left = lengthOf(current.phrase) - current.path.length;
  return completed * longest + longest - left;
}

/**
 * The progress of what new tokens follow.
 *
 * @param start prompt, or the start of a decoder's output: phrases in it count
 * @throws InputError for phrases without tokens, outside the vocabulary, ruled out by other options, or too long together
 */
export function progressAfter(
  start: readonly number[],
  phrases: readonly Phrase[],
  plan: Plan,
  vocabSize: number,
): Progress {
  const pending = phrases.map((phrase, n) => alternativesOf(phrase, n, plan, vocabSize));
  const longest = Math.max(0, ...pending.map(lengthOf));
  const none: Progress = { completed: 0, current: undefined, pending, longest };
  const progress = start.reduce(withToken, none);
  const least = leastTokens(progress);
  if (least <= plan.most) return progress;
  throw new InputError(`phrases take at least ${least} tokens; at most ${plan.most} are generated`);
}

function leastTokens({ current, pending }: Progress): number {
  const shortest = (phrase: Alternatives) => Math.min(...phrase.map(({ length }) => length));
  const begun = current?.phrase.filter((one) => startsWith(one, current.path)) ?? [];
  const left = begun.length > 0 ? shortest(begun) - current!.path.length : 0;
  return pending.reduce((sum, phrase) => sum + shortest(phrase), left);
}

function alternativesOf(
  phrase: Phrase,
  place: number,
  plan: Plan,
  vocabSize: number,
): Alternatives {
  const name = `phrases: phrase ${place}`;
  const list = (Array.isArray(phrase[0]) ? phrase : [phrase]) as Alternatives;
  for (const [n, ids] of list.entries()) {
    if (ids.length === 0) throw new InputError(`${name} has no tokens; expected at least one`);
    for (const id of ids) checkId(name, id, vocabSize);
    const rule = ruleAgainst(ids, plan);
    if (rule) {
      throw new InputError(
        `${name}: ${quoted(ids)} is ruled out by ${rule}; expected a phrase that can come`,
      );
    }
    const longer = list.find((other, m) => m !== n && startsWith(other, ids));
    if (longer) {
      throw new InputError(
        `${name}: ${quoted(ids)} begins ${quoted(longer)}, which could not be completed; expected one of them`,
      );
    }
  }
  return list;
}

/** The option that keeps ids from coming one after the other. */
function ruleAgainst(ids: readonly number[], plan: Plan): string | undefined {
  if (ids.some((id) => plan.suppressIds.includes(id))) return 'suppressIds';
  if (ids.some((id) => plan.stopIds.includes(id))) return 'stopIds';
  const tails = ids.map((_, start) => ids.slice(start));
  const word = plan.badWords.find((word) => tails.some((tail) => startsWith(tail, word)));
  return word && 'badWords';
}

const lengthOf = (phrase: Alternatives): number => Math.max(...phrase.map(({ length }) => length));

const startsWith = (ids: readonly number[], path: readonly number[]): boolean =>
  ids.length >= path.length && path.every((id, i) => id === ids[i]);

/** The tokens that go on with a path of a phrase; none where it is complete. */
function idsAfter(phrase: Alternatives, path: readonly number[]): number[] {
  const on = phrase.filter((ids) => ids.length > path.length && startsWith(ids, path));
  return [...new Set(on.map((ids) => ids[path.length]!))];
}
