import { InputError, quoted } from '@headwise/core';
import type { JsonValue } from '@headwise/data';
import type { Prompt } from '@headwise/text';
import type { PromptTemplate } from '../template.js';
import type { Query } from './make-form.js';
import type { MakeRun } from './make-run.js';

/** Answers to a query that are compared. */
export interface JudgedAnswers extends Query {
  /** All different. */
  readonly answers: readonly string[];
}

/** What a judge says. */
export interface Verdict {
  /** The answers and those that the judge has written. Default the answers that were given. */
  readonly answers?: readonly string[] | undefined;
  /** A score for each answer; the greater one is preferred, and equal ones are not compared. */
  readonly scores: readonly number[];
  /** What rows say of the judgement. */
  readonly made?: Readonly<Record<string, JsonValue>> | undefined;
}

/** Says which of several answers is preferred. */
export interface Judge {
  /** What rows name it by. */
  readonly name: string;
  /** What it depends on; a run that goes on must have the same. */
  readonly settings: Readonly<Record<string, JsonValue>>;
  /** The prompts that it asks. */
  readonly prompts?: Readonly<Record<string, PromptTemplate<never, Prompt>>> | undefined;
  /** The fewest answers that it compares. Default 2. */
  readonly least?: number | undefined;
  judge(given: JudgedAnswers, run: MakeRun): Promise<Verdict>;
}

/** How much an answer is worth; the data are what the row says besides. */
export type Reward = (
  instruction: string,
  answer: string,
  data: Readonly<Record<string, JsonValue>>,
) => number | Promise<number>;

/**
 * A judge by a reward function, or by a rule.
 *
 * @param name what rows name it by
 * @throws InputError, when it judges, naming the example and the answer, for a reward that is not a finite number
 * @example
 * rewardJudge('short', (_, answer) => -answer.length);
 */
export function rewardJudge(name: string, reward: Reward): Judge {
  return {
    name,
    settings: {},
    judge: async ({ place, instruction, answers, data = {} }) => {
      const scores: number[] = [];
      for (const [n, answer] of answers.entries()) {
        const score = await reward(instruction, answer, data);
        if (typeof score !== 'number' || !Number.isFinite(score)) {
          throw new InputError(
            `${place}: the reward '${name}' of answer ${n + 1} is ${typeof score === 'number' ? score : quoted(score)}; expected a finite number`,
          );
        }
        scores.push(score);
      }
      return { scores };
    },
  };
}

/**
 * A judge by the choices of people: each query's data have `chosen`, and perhaps `rejected`, as the answer's text or its number from 0.
 *
 * @throws InputError, when it judges, naming the example, where there is no choice or it is of no answer
 */
export function choicesJudge(): Judge {
  return {
    name: 'choices',
    settings: {},
    judge: async ({ place, answers, data = {} }) => {
      const of = (key: string): number => {
        const choice = data[key];
        const n = typeof choice === 'number' ? choice : answers.indexOf(String(choice));
        if (Number.isInteger(n) && n >= 0 && n < answers.length) return n;
        throw new InputError(
          `${place}: '${key}' is ${quoted(choice)}; expected one of the ${answers.length} answers, or its number from 0`,
        );
      };
      const chosen = of('chosen');
      const rejected = data.rejected === undefined ? undefined : of('rejected');
      return { scores: answers.map((_, n) => (n === chosen ? 1 : n === rejected ? -1 : 0)) };
    },
  };
}
