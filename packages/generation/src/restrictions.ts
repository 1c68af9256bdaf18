import type { Plan } from './options.js';

/**
 * The ids that must not be the next token.
 *
 * The rules are those of Hugging Face's logits processors: repeated n-grams, bad words, stop ids before the least
 * number of tokens, suppressed ids.
 *
 * @param sequence prompt and new tokens
 * @param made the number of new tokens in it
 */
export function bannedIds(plan: Plan, sequence: readonly number[], made: number): Set<number> {
  const banned = new Set(plan.suppressIds);
  addAll(banned, repeatedEnds(sequence, plan.noRepeatNgramSize));
  addAll(banned, completedWords(sequence, plan.badWords));
  if (made < plan.least) addAll(banned, plan.stopIds);
  // Where the first new token is forced, the second is the first that is drawn.
  const first = plan.forcedFirstId !== undefined && sequence.length - made === 1 ? 1 : 0;
  if (made === first) addAll(banned, plan.beginSuppressIds);
  return banned;
}

/** The ids that are never drawn: suppressed ones, and bad words of one token. */
export function standingBans(plan: Plan): Set<number> {
  const banned = new Set(plan.suppressIds);
  addAll(banned, completedWords([], plan.badWords));
  return banned;
}

/**
 * Whether other ids than `standingBans` must not be the next token, so that it depends on the tokens before.
 *
 * @param made the number of new tokens so far
 */
export function bansChange(plan: Plan, made: number): boolean {
  return (
    plan.noRepeatNgramSize > 0 ||
    plan.badWords.some((word) => word.length > 1) ||
    (made < plan.least && plan.stopIds.length > 0) ||
    // The first token that is drawn is the second where the first is forced.
    (made <= 1 && plan.beginSuppressIds.length > 0)
  );
}

/**
 * The id that the next token has to be; undefined where it is drawn.
 *
 * @param length of prompt and new tokens
 * @param made the number of new tokens in it
 */
export function forcedId(plan: Plan, length: number, made: number): number | undefined {
  if (plan.forcedLastId !== undefined && made === plan.most - 1) return plan.forcedLastId;
  return length === 1 ? plan.forcedFirstId : undefined;
}

function addAll(set: Set<number>, ids: Iterable<number>): void {
  for (const id of ids) set.add(id);
}

/** The ids after which an n-gram of the sequence would occur again. */
function* repeatedEnds(sequence: readonly number[], size: number): Generator<number> {
  if (size === 0) return;
  const start = sequence.length - (size - 1);
  for (let at = 0; at + size <= sequence.length; at++) {
    let same = true;
    for (let i = 0; same && i < size - 1; i++) same = sequence[at + i] === sequence[start + i];
    if (same) yield sequence[at + size - 1]!;
  }
}

/** The last ids of the words whose other ids the sequence ends with. */
function* completedWords(
  sequence: readonly number[],
  words: readonly (readonly number[])[],
): Generator<number> {
  for (const word of words) {
    const before = word.length - 1;
    if (before > sequence.length) continue;
    const start = sequence.length - before;
    if (word.slice(0, -1).every((id, i) => sequence[start + i] === id)) yield word[before]!;
  }
}
