import type { Prompt } from '@headwise/text';
import { definePrompt } from '../define-prompt.js';
import type { PromptTemplate } from '../template.js';
import { LeftOut } from './left-out.js';
import type { AnswerTask, Query } from './make-form.js';
import type { Answered, MakeRun } from './make-run.js';
import type { LeftOutRow } from './recipe.js';

/** Several answers to a query, at the same time; those that cannot be used are left out. */
export async function answersTo(
  task: AnswerTask,
  query: Query,
  run: MakeRun,
  answers: number,
): Promise<{ answered: Answered<string>[]; leftOut: LeftOutRow[] }> {
  const { template, values } = questionOf(task, query);
  // Behind a text that stands as it is, space belongs to the answer.
  const keepSpace = typeof query.prompt === 'string';
  const all = await Promise.all(
    Array.from({ length: answers }, (_, n) =>
      run.ask(template, values, { n, keepSpace }).catch((error: unknown) => {
        if (error instanceof LeftOut) return error;
        throw error;
      }),
    ),
  );
  return {
    answered: all.filter((one) => !(one instanceof LeftOut)) as Answered<string>[],
    leftOut: all.flatMap((one) =>
      one instanceof LeftOut ? [{ rule: one.rule, reason: one.message }] : [],
    ),
  };
}

/** The prompt of a query, as a template with its values. */
function questionOf(
  task: AnswerTask,
  { instruction, prompt }: Query,
): { template: PromptTemplate<object, Prompt>; values: object } {
  if (prompt === undefined) return { template: task.withExamples([]), values: { instruction } };
  const { name } = task;
  if (typeof prompt === 'string') {
    const slots = { prompt: { whole: true } };
    return { template: definePrompt({ name, text: '{{prompt}}', slots }), values: { prompt } };
  }
  const slots = { prompt: { kind: 'messages', whole: true } } as const;
  const template = definePrompt({ name, messages: [{ slot: 'prompt' }], slots });
  return { template, values: { prompt } };
}
