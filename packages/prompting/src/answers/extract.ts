import { InputError } from '@headwise/core';
import { z } from 'zod';
import { jsonValues } from './json-values.js';

/** What an extractor finds in an answer: a value, or why there is none. */
export type Extracted<T> = { readonly value: T } | { readonly problem: string };

/** Finds what was asked for in the text that a model wrote. */
export type Extractor<T> = (answer: string) => Extracted<T>;

/** Options of `byPattern`. */
export interface PatternOptions {
  /** Which of several matches counts. Default `'last'`: reasoning mentions others before. */
  which?: 'first' | 'last' | undefined;
}

/**
 * What a pattern matches: its first group, or all of the match where it has none.
 *
 * @example
 * byPattern(/answer is (-?\d+)/)('So 6 × 7: the answer is 42.'); // { value: '42' }
 */
export function byPattern(
  pattern: RegExp,
  { which = 'last' }: PatternOptions = {},
): Extractor<string> {
  const flags = pattern.flags.replace('y', '');
  const global = new RegExp(pattern.source, flags.includes('g') ? flags : `${flags}g`);
  return (answer) => {
    const match = [...answer.matchAll(global)].at(which === 'last' ? -1 : 0);
    if (match) return { value: match[1] ?? match[0] };
    return { problem: `nothing in the answer matches ${pattern}` };
  };
}

/**
 * The option that an answer names last, as whole words, in any case; of two at one place the longer.
 *
 * @throws InputError for no options and an empty one
 * @example
 * byOption(['Positive', 'Negative'])('It is not positive: negative.'); // { value: 'Negative' }
 */
export function byOption<const Option extends string>(
  options: readonly Option[],
): Extractor<Option> {
  if (options.length === 0) throw new InputError('there are no options; expected at least one');
  if (options.some((option) => option === '')) {
    throw new InputError('an option is empty; expected a text');
  }
  const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const longestFirst = [...options].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}_])(?:${longestFirst.map((option) => `(${escaped(option)})`).join('|')})(?![\\p{L}\\p{N}_])`,
    'giu',
  );
  return (answer) => {
    const match = [...answer.matchAll(pattern)].at(-1);
    const n = match ? match.slice(1).findIndex((group) => group !== undefined) : -1;
    if (n >= 0) return { value: longestFirst[n]! };
    return { problem: `the answer names none of ${options.map((one) => `'${one}'`).join(', ')}` };
  };
}

/**
 * The last JSON object or array of an answer, as long as it is what a JSON schema says.
 *
 * To have a model of ours write nothing else, give `createGrammar(tokenizer).jsonSchema(schema)` of `@headwise/grammar` as its
 * `constraint`.
 *
 * @param schema default any object or array
 * @throws InputError for a schema with keywords that cannot be checked
 * @example
 * byJson({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] })('Sure: {"n": 3}'); // { value: { n: 3 } }
 */
export function byJson<T = unknown>(schema: object | boolean = true): Extractor<T> {
  const checked = checkerOf(schema);
  return (answer) => {
    const last = jsonValues(answer).at(-1);
    if (!last) return { problem: 'there is no JSON object or array in the answer' };
    const value: unknown = JSON.parse(answer.slice(...last));
    const result = checked.safeParse(value);
    if (result.success) return { value: value as T };
    const [issue] = result.error.issues;
    const path = issue!.path.map((key) => `/${String(key)}`).join('');
    return {
      problem: `the JSON of the answer is not of its schema: ${path || 'it'}: ${issue!.message}`,
    };
  };
}

function checkerOf(schema: object | boolean): z.ZodType {
  try {
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  } catch (error) {
    throw new InputError(`the schema cannot be checked: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
