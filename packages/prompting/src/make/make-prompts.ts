import { InputError, quoted } from '@headwise/core';
import type { Prompt } from '@headwise/text';
import { definePrompt } from '../define-prompt.js';
import type { Slot } from '../slots.js';
import { defineTask } from '../task.js';
import { type PromptTemplate, placeOf } from '../template.js';
import type { TemplateMessage } from '../template-parts.js';
import { type AnswerTask, answerMessages, answerText } from './make-form.js';
import { wordings } from './wordings.js';

/** The values of each prompt. */
interface Values {
  readonly instruct: { readonly document: string; readonly examples: readonly string[] };
  readonly example: { readonly document: string; readonly instruction: string };
  readonly score: { readonly instruction: string; readonly response: string };
  readonly evolve: { readonly instruction: string; readonly method: string };
  readonly invent: { readonly instruction: string };
  readonly same: { readonly first: string; readonly second: string };
  readonly tasks: { readonly tasks: readonly string[]; readonly next: number };
  readonly compare: {
    readonly instruction: string;
    readonly principle: string;
    readonly first: string;
    readonly second: string;
  };
  readonly critique: {
    readonly instruction: string;
    readonly response: string;
    readonly principle: string;
  };
  readonly revise: {
    readonly instruction: string;
    readonly response: string;
    readonly principle: string;
    readonly critique: string;
  };
}

/** The prompts of all recipes, and the form of questions and answers. */
export type MakePrompts = {
  readonly [Name in Exclude<keyof Values, 'example'>]: PromptTemplate<Values[Name], Prompt>;
} & {
  /** A pair that is shown in `instruct`. */
  readonly example: PromptTemplate<Values['example'], string>;
  /** How questions and answers are written. */
  readonly task: AnswerTask;
};

/** A prompt as a file has it: a text, or messages, with slots. */
export type WrittenPrompt = string | readonly TemplateMessage[];

/** Prompts in place of ours, by name; `question` and `answer` are those of the task. */
export type OwnPrompts = {
  readonly [Name in keyof Values]?: WrittenPrompt | undefined;
} & {
  readonly question?: string | undefined;
  readonly answer?: string | undefined;
};

const slots: Readonly<Record<keyof Values, Readonly<Record<string, Slot>>>> = {
  instruct: {
    examples: { kind: 'list', separator: '\n\n', end: '\n\n', cut: 'start' },
    document: { whole: true },
  },
  example: whole('document', 'instruction'),
  score: whole('instruction', 'response'),
  evolve: whole('instruction', 'method'),
  invent: whole('instruction'),
  same: whole('first', 'second'),
  tasks: { tasks: { kind: 'list', cut: 'start', least: 1 }, next: { kind: 'number' } },
  compare: whole('instruction', 'principle', 'first', 'second'),
  critique: whole('instruction', 'response', 'principle'),
  revise: whole('instruction', 'response', 'principle', 'critique'),
};

function whole(...names: readonly string[]): Record<string, Slot> {
  return Object.fromEntries(names.map((name) => [name, { whole: true }]));
}

/**
 * The prompts that recipes ask.
 *
 * @param as messages for a model of chats, texts in Alpaca's form for one that was trained on texts alone
 * @param own prompts in place of ours; a prompt need not use every slot, and a text is the message of a user where prompts are messages
 * @throws InputError for a name that no prompt has, and a slot that it does not take
 * @example
 * const { task, instruct, score } = makePrompts('text', { instruct: 'Text: {{document}}\nQuestion:' });
 */
export function makePrompts(as: 'text' | 'messages', own: OwnPrompts = {}): MakePrompts {
  const { question, answer, ...others } = own;
  const names = Object.keys(slots) as (keyof Values)[];
  const strange = Object.keys(others).find((name) => !Object.hasOwn(slots, name));
  if (strange !== undefined) {
    throw new InputError(
      `there is no prompt '${strange}'; expected one of question, answer, ${names.join(', ')}`,
    );
  }
  const ours = as === 'text' ? answerText : answerMessages;
  const task =
    question === undefined && answer === undefined ? ours : taskOf(as, { question, answer });
  const all = names.map((name) => [
    name,
    promptNamed(name, asIn(as, name, others[name]) ?? asked(as, name)),
  ]);
  return { ...(Object.fromEntries(all) as MakePrompts), task };
}

/** A text of one's own is the message of a user, where prompts are messages. */
function asIn(
  as: 'text' | 'messages',
  name: keyof Values,
  written: WrittenPrompt | undefined,
): WrittenPrompt | undefined {
  if (as === 'text' || name === 'example' || typeof written !== 'string') return written;
  return [{ role: 'user', content: written }];
}

/** A wording as a model reads it. */
function asked(as: 'text' | 'messages', name: keyof Values): WrittenPrompt {
  const content = wordings[name];
  if (name === 'example') return content;
  if (as === 'messages') return [{ role: 'user', content }];
  return `### Instruction:\n${content}\n\n### Response:\n`;
}

function promptNamed(name: keyof Values, written: unknown): PromptTemplate<never, Prompt> {
  const takes = slots[name];
  const isText = typeof written === 'string';
  if (!isText && (name === 'example' || !Array.isArray(written))) {
    throw new InputError(
      `${placeOf(name)}: is ${quoted(written)}; expected a text${name === 'example' ? '' : ' or a list of messages'}`,
    );
  }
  const given = isText ? { text: written as string } : { messages: written as TemplateMessage[] };
  const bare = definePrompt({ ...(given as { text: string }), name });
  const used = Object.keys(bare.slots);
  const strange = used.find((slot) => !Object.hasOwn(takes, slot));
  if (strange !== undefined) {
    throw new InputError(
      `${placeOf(name)}: has a slot '${strange}'; expected some of ${Object.keys(takes).join(', ')}`,
    );
  }
  const described = Object.fromEntries(used.map((slot) => [slot, takes[slot]!]));
  const prompt = definePrompt({ ...(given as { text: string }), name, slots: described });
  return prompt as PromptTemplate<never, Prompt>;
}

function taskOf(
  as: 'text' | 'messages',
  {
    question = as === 'text' ? '{{instruction}}\n' : '{{instruction}}',
    answer = '{{response}}',
  }: { question: string | undefined; answer: string | undefined },
): AnswerTask {
  const task = defineTask({ name: 'answer', question, answer, as });
  const [asks, answers] = [task.question, task.answer].map(({ slots: all }) => Object.keys(all));
  for (const [name, used, slot] of [
    ['question', asks!, 'instruction'],
    ['answer', answers!, 'response'],
  ] as const) {
    if (used.length !== 1 || used[0] !== slot) {
      throw new InputError(
        `prompt '${name}': has ${used.map((one) => `'${one}'`).join(', ') || 'no slot'}; expected the slot '${slot}' alone`,
      );
    }
  }
  return task as unknown as AnswerTask;
}
