import type { ChatMessage } from '@headwise/tokenizers';
import { z } from 'zod';
import { type Calling, callingOf, type ToolChoice } from '../chat/tools.js';
import { ApiError } from '../http/api-error.js';

interface TextBlock {
  type: 'text';
  text: string;
}

interface ToolUse {
  type: 'tool_use';
  id: string;
  name: string;
  input: Record<string, unknown>;
}

interface ToolResult {
  type: 'tool_result';
  tool_use_id: string;
  content?: Texts | undefined;
}

type Texts = string | TextBlock[];

interface Message {
  role: 'user' | 'assistant';
  content: string | (TextBlock | ToolUse | ToolResult)[];
}

interface Tool {
  name: string;
  description?: string | undefined;
  input_schema: Record<string, unknown>;
  strict?: boolean | undefined;
}

// Where a prefix may be kept for later requests; no answer depends on it.
const cached = { cache_control: z.unknown().optional() };
const text = z.strictObject({ type: z.literal('text'), text: z.string(), ...cached });
const texts = z.union([z.string(), z.array(text)]);
const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  ...cached,
});
const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: texts.optional(),
  is_error: z.boolean().optional(),
  ...cached,
});
const block = z.discriminatedUnion('type', [text, toolUse, toolResult], {
  error: "expected a block of the type 'text', 'tool_use' or 'tool_result'",
});
const message = z.strictObject({
  role: z.enum(['user', 'assistant']),
  content: z.union([z.string(), z.array(block)]),
});
const tool = z.strictObject({
  type: z.literal('custom').optional(),
  name: z.string(),
  description: z.string().optional(),
  input_schema: z.record(z.string(), z.unknown()),
  strict: z.boolean().optional(),
  ...cached,
});

/** The body of `POST /v1/messages`. */
export interface MessagesBody {
  model: string;
  messages: Message[];
  max_tokens: number;
  system?: Texts | undefined;
  temperature?: number | undefined;
  top_p?: number | undefined;
  top_k?: number | undefined;
  stop_sequences?: string[] | undefined;
  stream?: boolean | undefined;
  tools?: Tool[] | undefined;
  tool_choice?: GivenToolChoice | undefined;
}

interface GivenToolChoice {
  type: 'auto' | 'none' | 'any' | 'tool';
  name?: string | undefined;
  disable_parallel_tool_use?: boolean | undefined;
}

const parallel = { disable_parallel_tool_use: z.boolean().optional() };
const toolChoice: z.ZodType<GivenToolChoice> = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('auto'), ...parallel }),
    z.strictObject({ type: z.literal('any'), ...parallel }),
    z.strictObject({ type: z.literal('tool'), name: z.string(), ...parallel }),
    z.strictObject({ type: z.literal('none') }),
  ],
  { error: "expected the type 'auto', 'any', 'tool' or 'none'" },
);

/** The schema of `MessagesBody`. */
export const messagesSchema: z.ZodType<MessagesBody> = z.strictObject({
  model: z.string(),
  messages: z.array(message).min(1),
  max_tokens: z.int().min(1),
  system: texts.optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().optional(),
  top_k: z.int().min(1).optional(),
  stop_sequences: z.array(z.string()).max(16).optional(),
  stream: z.boolean().optional(),
  tools: z.array(tool).optional(),
  tool_choice: toolChoice.optional(),
  thinking: z.strictObject({ type: z.literal('disabled') }).optional(),
  metadata: z.unknown().optional(),
  service_tier: z.unknown().optional(),
  ...cached,
});

/** The functions of a request. @throws ApiError as `callingOf` does */
export function messageTools({
  tools = [],
  tool_choice: choice,
}: MessagesBody): Calling | undefined {
  const strict = tools.flatMap((one) => (one.strict ? [one.name] : []));
  const told = tools.map(({ name, description, input_schema: parameters }) => ({
    type: 'function' as const,
    function: { name, ...(description === undefined ? {} : { description }), parameters },
  }));
  const parallel = !choice?.disable_parallel_tool_use;
  return callingOf(told, { strict, choice: choice && chosen(choice), parallel });
}

function chosen({ type, name = '' }: GivenToolChoice): ToolChoice {
  if (type === 'tool') return { name };
  return type === 'any' ? 'required' : type;
}

/**
 * The messages as chat templates read them, the system text first.
 *
 * @throws ApiError 400 where the last message is of the assistant, or a result has no call before it
 */
export function chatMessages({ system, messages }: MessagesBody): ChatMessage[] {
  if (messages.at(-1)!.role === 'assistant') {
    throw new ApiError(
      400,
      'messages ends with the assistant, whose text is not continued; expected a message of the user',
      { param: 'messages' },
    );
  }
  const names = new Map<string, string>();
  const chat = messages.flatMap((one) => messagesOf(one, names));
  return system === undefined ? chat : [{ role: 'system', content: textOf(system) }, ...chat];
}

/** @param names of the functions that were called, by the id of the call */
function messagesOf({ role, content }: Message, names: Map<string, string>): ChatMessage[] {
  if (typeof content === 'string') return [{ role, content }];
  const [results, calls]: [ChatMessage[], object[]] = [[], []];
  let said = '';
  for (const part of content) {
    if (part.type === 'text') said += part.text;
    else if (part.type === 'tool_use') {
      names.set(part.id, part.name);
      const called = { name: part.name, arguments: part.input };
      calls.push({ id: part.id, type: 'function', function: called });
    } else results.push(resultOf(part, names));
  }
  const tool_calls = calls.length > 0 ? { tool_calls: calls } : {};
  const own = { role, content: said, ...tool_calls };
  return said === '' && results.length > 0 ? results : [...results, own];
}

function resultOf(
  { tool_use_id: id, content = '' }: ToolResult,
  names: ReadonlyMap<string, string>,
): ChatMessage {
  const name = names.get(id);
  if (name === undefined) {
    throw new ApiError(
      400,
      `tool_use_id is '${id.slice(0, 100)}'; no tool_use before has this id`,
      {
        param: 'messages',
      },
    );
  }
  return { role: 'tool', name, tool_call_id: id, content: textOf(content) };
}

const textOf = (given: Texts): string =>
  typeof given === 'string' ? given : given.map((part) => part.text).join('');
