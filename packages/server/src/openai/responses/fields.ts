import { z } from 'zod';
import { type Calling, callingOf } from '../../chat/tools.js';
import { type DrawingFields, drawingFields, idleFields } from '../fields.js';
import type { ResponseFormat } from '../response-format.js';
import { type InputItem, inputItems } from './input.js';

/** A function in the form of the Responses API. */
interface Tool {
  type: 'function';
  name: string;
  description?: string | null | undefined;
  parameters?: Record<string, unknown> | null | undefined;
  strict?: boolean | null | undefined;
}

type TextFormat =
  | Exclude<ResponseFormat, { type: 'json_schema' }>
  | { type: 'json_schema'; name: string; schema: Record<string, unknown> };

/** The body of `POST /v1/responses`. */
export interface ResponsesBody extends DrawingFields {
  model: string;
  input: string | InputItem[];
  instructions?: string | undefined;
  max_output_tokens?: number | undefined;
  text?: { format?: TextFormat | undefined } | undefined;
  tools?: Tool[] | undefined;
  tool_choice?: ToolChoice | undefined;
  parallel_tool_calls?: boolean | undefined;
  include?: 'message.output_text.logprobs'[] | undefined;
  top_logprobs?: number | undefined;
  stream?: boolean | undefined;
  metadata?: Record<string, string> | undefined;
  chat_template_kwargs?: Record<string, unknown> | undefined;
}

const tool: z.ZodType<Tool> = z.strictObject({
  type: z.literal('function', { error: "expected 'function': there are no other tools" }),
  name: z.string().min(1).max(64),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

type ToolChoice = 'none' | 'auto' | 'required' | { type: 'function'; name: string };

const toolChoice: z.ZodType<ToolChoice> = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    z.strictObject({ type: z.literal('function'), name: z.string() }),
  ],
  { error: "expected 'none', 'auto', 'required', or a function by its name" },
);

const format: z.ZodType<TextFormat> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    name: z.string(),
    description: z.string().optional(),
    schema: z.record(z.string(), z.unknown()),
    // Answers are held to their schema in any case.
    strict: z.boolean().nullish(),
  }),
]);

/** The schema of `ResponsesBody`. */
export const responsesSchema: z.ZodType<ResponsesBody> = z.strictObject({
  ...drawingFields,
  ...idleFields,
  metadata: z.record(z.string(), z.string()).optional(),
  model: z.string(),
  input: inputItems,
  instructions: z.string().optional(),
  max_output_tokens: z.int().min(1).optional(),
  text: z
    .strictObject({
      format: format.nullish().transform((given) => given ?? undefined),
      verbosity: z
        .literal('medium', { error: "expected 'medium': ask for another one in a message" })
        .nullish(),
    })
    .optional(),
  tools: z.array(tool).optional(),
  tool_choice: toolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  include: z
    .array(
      z.literal('message.output_text.logprobs', {
        error: "expected 'message.output_text.logprobs': answers have nothing else to include",
      }),
    )
    .optional(),
  top_logprobs: z.int().min(0).max(20).optional(),
  stream: z.boolean().optional(),
  // Obfuscation pads events against those who measure their length on the way; no event of ours is padded.
  stream_options: z.strictObject({ include_obfuscation: z.boolean().optional() }).optional(),
  store: z.literal(false, { error: 'expected false: responses are not stored' }).optional(),
  background: z
    .literal(false, { error: 'expected false: a response is sent as it comes' })
    .optional(),
  truncation: z
    .literal('disabled', { error: "expected 'disabled': input beyond the context is refused" })
    .optional(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).optional(),
});

/** Fields of the API that are not supported, with what to do instead. */
export const refusedFields: Readonly<Record<string, string>> = {
  previous_response_id: 'responses are not stored; give the whole conversation as input',
  conversation: 'conversations are not stored; give the whole conversation as input',
  prompt: 'prompts are not stored; give the text as instructions and input',
  reasoning: "the template's variables can be set in 'chat_template_kwargs'",
  context_management: 'the input is read as it is',
  moderation: 'the server moderates nothing',
  max_tool_calls: 'the server has no tools of its own',
};

/** The format as chats write it. */
export const chatFormat = ({ text }: ResponsesBody): ResponseFormat | undefined =>
  text?.format?.type === 'json_schema'
    ? { type: 'json_schema', json_schema: { schema: text.format.schema } }
    : text?.format;

/** The functions of a request. @throws ApiError as `callingOf` does */
export function responseTools({
  tools = [],
  tool_choice: choice,
  parallel_tool_calls: parallel,
}: ResponsesBody): Calling | undefined {
  const strict = tools.flatMap((one) => (one.strict ? [one.name] : []));
  const told = tools.map(({ type, name, description, parameters }) => ({
    type,
    function: {
      name,
      ...(description ? { description } : {}),
      ...(parameters ? { parameters } : {}),
    },
  }));
  return callingOf(told, { strict, choice, parallel });
}
