import type { ChatMessage } from '@headwise/tokenizers';
import { z } from 'zod';
import { ApiError } from '../../http/api-error.js';
import { type GivenMessage, templateMessages } from '../messages.js';

interface MessageItem {
  type: 'message';
  role: 'system' | 'developer' | 'user' | 'assistant';
  content: Texts;
}

interface CallItem {
  type: 'function_call';
  call_id: string;
  name: string;
  arguments: string;
}

interface CallOutputItem {
  type: 'function_call_output';
  call_id: string;
  output: Texts;
}

type Texts = string | { text: string }[];

/** An item of a conversation, also one that a response gave before. */
export type InputItem = MessageItem | CallItem | CallOutputItem;

// Answers come back as they were given: their ids and states change nothing.
const given = {
  id: z.string().nullish(),
  status: z.enum(['in_progress', 'completed', 'incomplete']).nullish(),
};
const inputText = z.strictObject({ type: z.literal('input_text'), text: z.string() });
const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.unknown()).max(0, 'expected none: they are not read').optional(),
  logprobs: z.unknown().optional(),
  // The client's reading of the text, which it sends along.
  parsed: z.unknown().optional(),
});
const texts = z.union([z.string(), z.array(z.union([inputText, outputText]))], {
  error: "expected a text or a list of parts of type 'input_text' or 'output_text'",
});
const item = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('message'),
      role: z.enum(['system', 'developer', 'user', 'assistant']),
      content: texts,
      ...given,
    }),
    z.strictObject({
      type: z.literal('function_call'),
      call_id: z.string(),
      name: z.string(),
      arguments: z.string(),
      parsed_arguments: z.unknown().optional(),
      ...given,
    }),
    z.strictObject({
      type: z.literal('function_call_output'),
      call_id: z.string(),
      output: texts,
      ...given,
    }),
  ],
  { error: "expected an item of type 'message', 'function_call' or 'function_call_output'" },
);
/** Messages may leave their type out. */
const typed = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'role' in value && !('type' in value)
    ? { type: 'message', ...value }
    : value;

/** The schema of the input. */
export const inputItems: z.ZodType<string | InputItem[]> = z.union([
  z.string(),
  z.array(z.preprocess(typed, item)).min(1),
]);

/**
 * The messages of a conversation as chat templates read them, the instructions first.
 *
 * @throws ApiError 400 for the output of a call that no item before makes
 */
export function inputMessages(
  input: string | readonly InputItem[],
  instructions: string | undefined,
): ChatMessage[] {
  const items: readonly InputItem[] =
    typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input;
  const messages: GivenMessage[] =
    instructions === undefined ? [] : [{ role: 'system', content: instructions }];
  const names = new Map<string, string>();
  for (const [i, one] of items.entries()) {
    switch (one.type) {
      case 'message':
        messages.push({ role: one.role, content: textOf(one.content) });
        break;
      case 'function_call': {
        names.set(one.call_id, one.name);
        const called = { name: one.name, arguments: one.arguments };
        const call = { id: one.call_id, type: 'function' as const, function: called };
        const last = messages.at(-1);
        // What the model says and calls in one turn is one message.
        if (last?.role === 'assistant') last.tool_calls = [...(last.tool_calls ?? []), call];
        else messages.push({ role: 'assistant', tool_calls: [call] });
        break;
      }
      case 'function_call_output': {
        const name = names.get(one.call_id);
        if (name === undefined) {
          throw new ApiError(
            400,
            `input.${i}.call_id is '${one.call_id.slice(0, 100)}'; no function_call before has this call_id`,
            { param: `input.${i}.call_id` },
          );
        }
        messages.push({
          role: 'tool',
          name,
          tool_call_id: one.call_id,
          content: textOf(one.output),
        });
      }
    }
  }
  return templateMessages(messages);
}

const textOf = (texts: Texts): string =>
  typeof texts === 'string' ? texts : texts.map(({ text }) => text).join('');
