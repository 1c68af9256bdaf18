import { InputError } from '@headwise/core';
import type { Prompt } from '@headwise/text';
import type { ChatMessage } from '@headwise/tokenizers';
import { definePrompt } from './define-prompt.js';
import { parseText, slotsOf } from './parse.js';
import type { ListSlot, Slot, SlotNames } from './slots.js';
import { type PromptTemplate, type PromptValues, placeOf, type ValuesOf } from './template.js';

/** A task that examples show: how a question is put, and how it is answered. */
export interface TaskDefinition<
  Question extends string,
  Answer extends string,
  Slots,
  As extends 'text' | 'messages' = 'text',
> {
  /** What errors and records name it by. */
  readonly name: string;
  /** Stands before everything; in a chat the system's message. May have slots. Default nothing. */
  readonly instruction?: string | undefined;
  /** A question, with slots: `'Classify this review: {{review}}\nSentiment:'`. */
  readonly question: Question;
  /** What follows a question that is answered, with slots: `' {{sentiment}}'`. */
  readonly answer: Answer;
  /** A text for a model that continues it, or messages for one that answers them. Default `'text'`. */
  readonly as?: As | undefined;
  /** Stands between two examples, and around them. Default a blank line. Of texts alone. */
  readonly separator?: string | undefined;
  /** What the slots of question and answer take. Default a text for each, which a budget leaves whole. */
  readonly slots?: Slots | undefined;
  /** How a budget treats the examples. Default: it leaves them out before it cuts the question, the first ones first, and one stays. */
  readonly examples?: Pick<ListSlot, 'least' | 'cut' | 'priority' | 'whole'> | undefined;
}

/** A task that is shown to a model by none, one or several examples: in-context learning. */
export interface Task<Question, Answer, Written extends Prompt = Prompt> {
  readonly name: string;
  /** A question alone, such as a text to compare examples by. */
  readonly question: PromptTemplate<Question, string>;
  /** An answer alone. */
  readonly answer: PromptTemplate<Answer, string>;
  /**
   * The prompt that shows some examples before its question: zero-shot for none, one-shot for one, few-shot for more.
   *
   * @throws InputError naming the example, for values that are missing, unknown or of another kind
   */
  withExamples(examples: readonly (Question & Answer)[]): PromptTemplate<Question, Written>;
}

/** The task of a definition. */
export type TaskOf<
  Question extends string,
  Answer extends string,
  Slots,
  As extends 'text' | 'messages',
> = Task<
  ValuesOf<SlotNames<Question>, Slots>,
  ValuesOf<SlotNames<Answer>, Slots>,
  As extends 'text' ? string : readonly ChatMessage[]
>;

/** The slot that holds the examples. */
const shown = 'examples';

/**
 * A task for in-context learning: each example is written as the question is, with its answer.
 *
 * @throws InputError as `definePrompt` does, and for a slot of the name `examples`
 * @see Brown et al. 2020, https://arxiv.org/abs/2005.14165
 * @example
 * const task = defineTask({ name: 'sentiment', question: 'Classify this review: {{review}}\nSentiment:', answer: ' {{sentiment}}' });
 * const oneShot = task.withExamples([{ review: 'I loved this DVD!', sentiment: 'Positive' }]);
 * oneShot.write({ review: 'I don’t like this chair.' });
 */
export function defineTask<
  const Question extends string,
  const Answer extends string,
  const Slots extends Readonly<Record<string, Slot>> = Readonly<Record<never, Slot>>,
  As extends 'text' | 'messages' = 'text',
>({
  name,
  instruction = '',
  question,
  answer,
  as: form,
  separator = '\n\n',
  slots,
  examples: kept = {},
}: TaskDefinition<Question, Answer, Slots, As>): TaskOf<Question, Answer, Slots, As> {
  const as = form ?? 'text';
  const where = placeOf(name);
  const described: Readonly<Record<string, Slot>> = slots ?? {};
  const [asked, answered] = [question, answer].map((text) => slotsOf(parseText(text, where)));
  if ([...asked!, ...answered!].includes(shown)) {
    throw new InputError(
      `${where}: has a slot 'examples'; expected another name: the examples stand in it`,
    );
  }
  const unused = Object.keys(described).find((slot) => ![...asked!, ...answered!].includes(slot));
  if (unused !== undefined) {
    throw new InputError(
      `${where}: slot '${unused}' is described and neither in its question nor in its answer`,
    );
  }
  const ofNames = (names: readonly string[]) =>
    Object.fromEntries(names.map((slot) => [slot, described[slot] ?? { whole: true }]));
  const parts = {
    question: definePrompt({ name, text: question as string, slots: ofNames(asked!) }),
    answer: definePrompt({ name, text: answer as string, slots: ofNames(answered!) }),
  };
  const held = { least: 1, cut: 'start', priority: -1, ...kept } as const;
  const prompt =
    as === 'text'
      ? definePrompt({
          name,
          text: `${instruction}${instruction && separator}{{${shown}}}${question}` as string,
          slots: {
            ...ofNames(asked!),
            [shown]: { kind: 'list', separator, end: separator, ...held },
          },
        })
      : definePrompt({
          name,
          messages: [
            ...(instruction ? [{ role: 'system', content: instruction as string }] : []),
            { slot: shown as string },
            { role: 'user', content: question as string },
          ],
          slots: { ...ofNames(asked!), [shown]: { kind: 'messages', ...held } },
        });
  const pick = (values: PromptValues, names: readonly string[]) =>
    Object.fromEntries(Object.entries(values).filter(([slot]) => names.includes(slot)));
  const written = (values: PromptValues, n: number, count: number) => {
    const example = `${n + 1} of the ${count} that are shown`;
    const strange = Object.keys(values).find((slot) => ![...asked!, ...answered!].includes(slot));
    if (strange !== undefined) {
      const known = [...new Set([...asked!, ...answered!])].map((slot) => `'${slot}'`);
      throw new InputError(
        `${placeOf(name, example)}: there is no slot '${strange}'; its slots are ${known.join(', ')}`,
      );
    }
    return {
      question: parts.question.write(pick(values, asked!), { example }),
      answer: parts.answer.write(pick(values, answered!), { example }),
    };
  };
  return {
    name,
    ...parts,
    withExamples: (given: readonly PromptValues[]) => {
      const all = given.map((values, n) => written(values, n, given.length));
      const value =
        as === 'text'
          ? all.map((example) => example.question + example.answer)
          : all.map((example): ChatMessage[] => [
              { role: 'user', content: example.question },
              { role: 'assistant', content: example.answer.trimStart() },
            ]);
      return (prompt as PromptTemplate).with({ [shown]: value });
    },
  } as unknown as TaskOf<Question, Answer, Slots, As>;
}
