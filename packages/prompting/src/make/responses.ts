import { answersTo } from './answers-to.js';
import { checkCount } from './check-count.js';
import { type AnswerTask, answeredExample, answerMessages, type Query } from './make-form.js';
import { provenanceJson } from './make-run.js';
import type { MakeItem, Recipe } from './recipe.js';

/** Options of `responses`. */
export interface ResponsesOptions {
  /** How questions and answers are written. Default messages: `answerMessages`; for a model of texts `answerText`. */
  readonly task?: AnswerTask | undefined;
  /** Answers to each query. Default 1. */
  readonly answers?: number | undefined;
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
  { task = answerMessages, answers = 1 }: ResponsesOptions = {},
): Recipe<Query & MakeItem> {
  checkCount('answers', answers, 1);
  return {
    name: 'responses',
    prompts: { question: task.question, answer: task.answer },
    settings: { answers },
    items: (round) => (round === 0 ? queries : []),
    make: async (query, run) => {
      const each = await answersTo(task, query, run, answers);
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
