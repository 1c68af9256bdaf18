import type { JsonValue } from '@headwise/data';
import { checkCount } from '../check-count.js';
import { answersTo } from './answers-to.js';
import { type AnswerTask, answeredExample, answerMessages, type Query } from './make-form.js';
import { type Answered, provenanceJson } from './make-run.js';
import type { DraftRow, MakeItem, Recipe } from './recipe.js';

/** Options of `responses`. */
export interface ResponsesOptions {
  /** How questions and answers are written. Default messages: `answerMessages`; for a model of texts `answerText`. */
  readonly task?: AnswerTask | undefined;
  /** Answers to each query. Default 1. */
  readonly answers?: number | undefined;
  /** One row a query with all its `answers`, for people to add which they choose. Default a row an answer. */
  readonly grouped?: boolean | undefined;
}

/**
 * Answers to given queries, for supervised fine-tuning: distillation, or of the model's own best for its next round.
 *
 * @throws InputError for fewer than one answer
 * @example
 * makeExamples(responses([{ place: 'queries.jsonl:1', instruction: 'Who hunts the whale?' }]), { model });
 */
export function responses(
  queries: readonly Query[],
  { task = answerMessages, answers = 1, grouped = false }: ResponsesOptions = {},
): Recipe<Query & MakeItem> {
  checkCount('answers', answers, 1);
  return {
    name: 'responses',
    prompts: { question: task.question, answer: task.answer },
    settings: { answers, grouped },
    items: (round) => (round === 0 ? queries : []),
    make: async (query, run) => {
      const each = await answersTo(task, query, run, answers);
      if (grouped) return { rows: groupOf(query, each.answered), leftOut: each.leftOut };
      return {
        rows: each.answered.map(({ value, made }) => ({
          example: { ...answeredExample(task, query, value), made: provenanceJson(made) },
          instruction: query.instruction,
          answers: [value],
        })),
        leftOut: each.leftOut,
      };
    },
  };
}

/** The row of a query with its answers, which `preferences` takes with `chosen` beside them. */
function groupOf(
  { instruction, prompt }: Query,
  answered: readonly Answered<string>[],
): DraftRow[] {
  const [first] = answered;
  if (!first) return [];
  const answers = [...new Set(answered.map(({ value }) => value))];
  const asked = prompt === undefined ? { instruction } : { prompt: prompt as JsonValue };
  const example = { ...asked, answers, made: provenanceJson(first.made) };
  return [{ example, instruction, answers, unique: instruction }];
}
