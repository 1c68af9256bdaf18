import type { JsonValue } from '@headwise/data';
import type { Prompt } from '@headwise/text';
import { defineTask, type Task } from '../task.js';
import type { MadeExample } from './recipe.js';

/** A question and its answer, as the model that is trained on them reads them. */
export type AnswerTask = Task<{ readonly instruction: string }, { readonly response: string }>;

/** Alpaca's form, in which a model that was trained on texts alone tells question from answer. */
export const answerText: AnswerTask = defineTask({
  name: 'answer',
  question: '### Instruction:\n{{instruction}}\n\n### Response:\n',
  answer: '{{response}}',
}) as AnswerTask;

/** The user's message and the assistant's. */
export const answerMessages: AnswerTask = defineTask({
  name: 'answer',
  question: '{{instruction}}',
  answer: '{{response}}',
  as: 'messages',
}) as AnswerTask;

/** What is asked: an instruction, or the messages before the answer. */
export interface Query {
  readonly place: string;
  /** What is asked, as judges and filters read it: the instruction, or the last message of the user. */
  readonly instruction: string;
  /** What the model reads, as it stands: a text that it continues, or the messages before the answer. Default the task's question. */
  readonly prompt?: Prompt | undefined;
  /** What else the row says. */
  readonly data?: Readonly<Record<string, JsonValue>> | undefined;
}

/** The prompt of a query. */
function promptOf(task: AnswerTask, { instruction, prompt, place }: Query): Prompt {
  return prompt ?? task.withExamples([]).write({ instruction }, { example: place });
}

/** `{ prompt, completion }`, or `{ messages }`: an example of `finetune --method sft`. */
export function answeredExample(task: AnswerTask, query: Query, response: string): MadeExample {
  const prompt = promptOf(task, query);
  const answer = answerIn(task, query, response);
  if (typeof prompt === 'string') return { prompt, completion: answer };
  return { messages: [...(prompt as unknown as JsonValue[]), ...(answer as JsonValue[])] };
}

/** `{ prompt, chosen, rejected }`: an example of `finetune --method dpo`. */
export function preferenceExample(
  task: AnswerTask,
  query: Query,
  { chosen, rejected }: { chosen: string; rejected: string },
): MadeExample {
  return {
    prompt: promptOf(task, query) as JsonValue,
    chosen: answerIn(task, query, chosen),
    rejected: answerIn(task, query, rejected),
  };
}

/** `{ prompt, completion, label }`: an example of `finetune --method kto`. */
export function judgedExample(
  task: AnswerTask,
  query: Query,
  { response, label }: { response: string; label: boolean },
): MadeExample {
  const prompt = promptOf(task, query) as JsonValue;
  return { prompt, completion: answerIn(task, query, response), label };
}

/** An answer as a text, in the task's form unless the prompt stands as it is, or as the assistant's message. */
function answerIn(task: AnswerTask, { prompt, ...query }: Query, response: string): JsonValue {
  if (typeof prompt === 'string') return response;
  const content = task.answer.write({ response });
  if (typeof promptOf(task, { ...query, prompt }) === 'string') return content;
  return [{ role: 'assistant', content }];
}
