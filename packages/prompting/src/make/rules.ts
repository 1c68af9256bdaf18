import { InputError, quoted } from '@headwise/core';
import type { JsonValue } from '@headwise/data';
import { byPattern } from '../answers/extract.js';
import type { Reward } from './judge.js';

/** Prefers the answer of fewer characters. */
export const shorterAnswer: Reward = (_, answer) => -[...answer].length;

/** Prefers the answer of more characters. */
export const longerAnswer: Reward = (_, answer) => [...answer].length;

/**
 * 1 for an answer that a pattern matches, 0 for others.
 *
 * @example
 * rewardJudge('number', matchingAnswer(/^\d+$/));
 */
export function matchingAnswer(pattern: RegExp): Reward {
  return (_, answer) => Number(answer.search(pattern) >= 0);
}

/**
 * 1 for an answer that is what the data have under a key, but for white space around it; 0 for others.
 *
 * @param pattern finds the answer in its text, as `byPattern` does; default all of it
 * @throws InputError, when it judges, where the data have no text or number of that key
 * @example
 * rewardJudge('sum', rightAnswer('sum', /answer is (-?\d+)/));
 */
export function rightAnswer(key: string, pattern?: RegExp): Reward {
  return (instruction, answer, data) => {
    const right = textIn(data, key, instruction);
    if (!pattern) return Number(answer.trim() === right);
    const found = byPattern(pattern)(answer);
    return Number('value' in found && found.value.trim() === right);
  };
}

function textIn(
  data: Readonly<Record<string, JsonValue>>,
  key: string,
  instruction: string,
): string {
  const value = data[key];
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number') return String(value);
  throw new InputError(
    `'${key}' of the query ${quoted(instruction)} is ${quoted(value)}; expected the right answer, as a text or a number`,
  );
}
