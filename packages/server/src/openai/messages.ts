import type { ChatMessage } from '@headwise/tokenizers';
import { z } from 'zod';
import { type Calling, callingOf, type FunctionTool, type ToolChoice } from '../chat/tools.js';

interface GivenCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

/** A message in OpenAI's form. */
export interface GivenMessage {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content?: string | { type: 'text'; text: string }[] | null | undefined;
  name?: string | undefined;
  tool_calls?: GivenCall[] | undefined;
  tool_call_id?: string | undefined;
}

const content = z.union(
  [z.string(), z.array(z.strictObject({ type: z.literal('text'), text: z.string() }))],
  { error: "expected a text or a list of parts of type 'text': the models read nothing else" },
);

const call = z.strictObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
});

/** The schema of messages. */
export const givenMessages: z.ZodType<GivenMessage[]> = z
  .array(
    z.strictObject({
      role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
      content: content.nullish(),
      name: z.string().optional(),
      refusal: z.null().optional(),
      tool_calls: z.array(call).optional(),
      tool_call_id: z.string().optional(),
    }),
  )
  .min(1);

interface GivenTool extends FunctionTool {
  function: FunctionTool['function'] & { strict?: boolean | null | undefined };
}

/** The schema of tools. */
export const givenTools: z.ZodType<GivenTool[]> = z.array(
  z.strictObject({
    type: z.literal('function', { error: "expected 'function': there are no other tools" }),
    function: z.strictObject({
      name: z.string().min(1).max(64),
      description: z.string().optional(),
      parameters: z.record(z.string(), z.unknown()).optional(),
      strict: z.boolean().nullish(),
    }),
  }),
);

type GivenToolChoice =
  | 'none'
  | 'auto'
  | 'required'
  | { type: 'function'; function: { name: string } };

/** The schema of `tool_choice`. */
export const givenToolChoice: z.ZodType<GivenToolChoice> = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    z.strictObject({
      type: z.literal('function'),
      function: z.strictObject({ name: z.string() }),
    }),
  ],
  { error: "expected 'none', 'auto', 'required', or a function by its name" },
);

/** The fields of a chat that say which functions may be called. */
export interface ToolFields {
  tools?: GivenTool[] | undefined;
  tool_choice?: GivenToolChoice | undefined;
  parallel_tool_calls?: boolean | undefined;
}

/** The functions of a chat. @throws ApiError as `callingOf` does */
export function chatTools({
  tools = [],
  tool_choice: choice,
  parallel_tool_calls: parallel,
}: ToolFields): Calling | undefined {
  const strict = tools.flatMap((tool) => (tool.function.strict ? [tool.function.name] : []));
  const told = tools.map(({ type, function: { strict: _, ...written } }) => ({
    type,
    function: written,
  }));
  const chosen: ToolChoice | undefined = typeof choice === 'object' ? choice.function : choice;
  return callingOf(told, { strict, choice: chosen, parallel });
}

/** Messages as chat templates know them. */
export const templateMessages = (messages: readonly GivenMessage[]): ChatMessage[] =>
  messages.map(({ role, content, name, tool_calls: calls, tool_call_id: callId }) => ({
    // Templates know the older name only.
    role: role === 'developer' ? 'system' : role,
    content:
      typeof content === 'object'
        ? (content?.map(({ text }) => text).join('') ?? '')
        : (content ?? ''),
    ...(name === undefined ? {} : { name }),
    ...(callId === undefined ? {} : { tool_call_id: callId }),
    ...(calls ? { tool_calls: calls.map(templateCall) } : {}),
  }));

function templateCall({ id, type, function: { name, arguments: text } }: GivenCall): object {
  return { id, type, function: { name, arguments: parsed(text) } };
}

/** Templates write arguments as JSON themselves. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
