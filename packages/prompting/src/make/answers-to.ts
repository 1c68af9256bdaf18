import type { Prompt } from '@headwise/text';
import type { ChatMessage } from '@headwise/tokenizers';
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
  const all = await Promise.all(
    Array.from({ length: answers }, (_, n) =>
      run.ask(template, values, { n }).catch((error: unknown) => {
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
  { instruction, messages }: Query,
): { template: PromptTemplate<object, Prompt>; values: object } {
  if (!messages) return { template: task.withExamples([]), values: { instruction } };
  const template = definePrompt({
    name: task.name,
    messages: [{ slot: 'messages' }],
    slots: { messages: { kind: 'messages', whole: true } },
  });
  return {
    template: template as PromptTemplate<never, readonly ChatMessage[]>,
    values: { messages },
  };
}
