import { InputError } from '@headwise/core';
import { applySteps, type Document, emptyTally, type Step } from '@headwise/data';
import { checkCount } from '../check-count.js';
import type { DraftRow } from './recipe.js';

/** Why a row is left out. */
export interface Refused {
  /** The rule, to count by. */
  readonly rule: string;
  readonly reason: string;
}

/** Decides whether a row is kept. */
export interface RowFilter {
  /** Its name and what it depends on; a run that goes on must have the same. */
  readonly settings: string;
  check(
    row: DraftRow & { readonly unique: string },
  ): Refused | undefined | Promise<Refused | undefined>;
  /** Told of each row that is kept, in order. */
  keep?: ((unique: string) => void) | undefined;
}

/**
 * Leaves out answers that are too short or too long.
 *
 * @param least characters (code points) of each answer; default 1
 * @param most default unlimited
 */
export function answerLength({
  least = 1,
  most = Number.POSITIVE_INFINITY,
}: {
  least?: number | undefined;
  most?: number | undefined;
}): RowFilter {
  checkCount('least', least, 0);
  if (most !== Number.POSITIVE_INFINITY) checkCount('most', most, Math.max(1, least));
  return {
    settings: `length ${least} to ${most}`,
    check: ({ answers }) => {
      for (const answer of answers) {
        const { length } = [...answer];
        if (length < least)
          return refused('short', `an answer has ${length} characters; expected at least ${least}`);
        if (length > most)
          return refused('long', `an answer has ${length} characters; expected at most ${most}`);
      }
      return undefined;
    },
  };
}

/** How assistants refuse, or speak of themselves, at the beginning of an answer. */
export const refusalPatterns: readonly RegExp[] = [
  /^\W*(?:i['’]?m|i am|we['’]?re|we are) (?:(?:very|so|really|truly|terribly) )?sorry\b/i,
  /^\W*(?:sorry|unfortunately|my apologies|apologies|i (?:do )?apologi[sz]e)\b/i,
  /^\W*i (?:cannot|can['’]?t|can not|could not|couldn['’]t|won['’]?t|will not|am unable to|am not able to|must decline)\b/i,
  /^\W*i['’]m (?:unable|not able) to\b/i,
  /\bas an? (?:ai|artificial intelligence|large language model|language model)\b/i,
];

/**
 * Leaves out answers in which the model refuses.
 *
 * @param patterns default `refusalPatterns`, of English
 */
export function noRefusals(patterns: readonly RegExp[] = refusalPatterns): RowFilter {
  return {
    settings: `refusals ${patterns.join(' ')}`,
    check: ({ answers }) => {
      for (const answer of answers) {
        const pattern = patterns.find((one) => answer.search(one) >= 0);
        if (pattern) return refused('refusal', `an answer refuses, by ${pattern}`);
      }
      return undefined;
    },
  };
}

/**
 * Leaves out rows that a step of `@headwise/data` drops, such as `language` and `decontaminate`.
 *
 * The step reads the answers, or with `whole` the instruction with each answer.
 *
 * @throws InputError, when a row is checked, for a step that rewrites
 */
export function byStep(
  step: Step,
  settings: string,
  { whole = false }: { whole?: boolean | undefined } = {},
): RowFilter {
  return {
    settings: `${step.name} ${settings}`,
    check: async ({ instruction, answers }) => {
      const texts = answers.map((answer) => (whole ? `${instruction}\n\n${answer}` : answer));
      const documents = texts.map((text, n): Document => ({ id: String(n), text, meta: {} }));
      const results = await applySteps(documents, [step], emptyTally([step]));
      for (const [n, result] of results.entries()) {
        if ('rule' in result) return refused(result.rule, `${step.name}: ${result.rule}`);
        if (result.text !== texts[n]) {
          throw new InputError(
            `the step '${step.name}' rewrites texts; expected one that keeps or drops them`,
          );
        }
      }
      return undefined;
    },
  };
}

/** A refusal by a rule. */
export const refused = (rule: string, reason: string): Refused => ({ rule, reason });
