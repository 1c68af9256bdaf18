import type { JsonValue } from '@headwise/data';
import type { Prompt } from '@headwise/text';
import type { ChatMessage } from '@headwise/tokenizers';
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
  /** The instruction, or the last message of the user. */
  readonly instruction: string;
  /** All messages before the answer, where there are more than the instruction. */
  readonly messages?: readonly ChatMessage[] | undefined;
  /** What else the row says. */
  readonly data?: Readonly<Record<string, JsonValue>> | undefined;
}

/** The prompt of a query. */
export function promptOf(task: AnswerTask, { instruction, messages, place }: Query): Prompt {
  return messages ?? task.withExamples([]).write({ instruction }, { example: place });
}

/** `{ prompt, completion }`, or `{ messages }`: an example of `finetune --method sft`. */
export function answeredExample(task: AnswerTask, query: Query, response: string): MadeExample {
  const prompt = promptOf(task, query);
  if (typeof prompt === 'string') return { prompt, completion: task.answer.write({ response }) };
  return { messages: json([...prompt, assistant(task, response)]) };
}

/** `{ prompt, chosen, rejected }`: an example of `finetune --method dpo`. */
export function preferenceExample(
  task: AnswerTask,
  query: Query,
  { chosen, rejected }: { chosen: string; rejected: string },
): MadeExample {
  const prompt = promptOf(task, query);
  const as = (response: string) => answerIn(task, prompt, response);
  return { prompt: json(prompt), chosen: as(chosen), rejected: as(rejected) };
}

/** `{ prompt, completion, label }`: an example of `finetune --method kto`. */
export function judgedExample(
  task: AnswerTask,
  query: Query,
  { response, label }: { response: string; label: boolean },
): MadeExample {
  const prompt = promptOf(task, query);
  return { prompt: json(prompt), completion: answerIn(task, prompt, response), label };
}

const answerIn = (task: AnswerTask, prompt: Prompt, response: string): JsonValue =>
  typeof prompt === 'string' ? task.answer.write({ response }) : json([assistant(task, response)]);

const assistant = (task: AnswerTask, response: string): ChatMessage => ({
  role: 'assistant',
  content: task.answer.write({ response }),
});

const json = (value: unknown): JsonValue => value as JsonValue;
