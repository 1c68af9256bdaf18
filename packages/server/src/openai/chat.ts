import type { ToolCall } from '@headwise/text';
import type { Hono } from 'hono';
import { z } from 'zod';
import { type Answer, beginAnswers, piecesOf } from '../answer.js';
import { CallReader, newCallId } from '../chat/call-reader.js';
import { chatPrompt } from '../chat/prompt.js';
import type { Calling } from '../chat/tools.js';
import { ApiError } from '../http/api-error.js';
import { checkedBody, readJsonBody } from '../http/body.js';
import { dataEvent, eventStream } from '../http/event-stream.js';
import type { ServedDecoder, Service } from '../service.js';
import { type ChatLogprob, chatLogprob } from './chat-logprobs.js';
import {
  checkSequences,
  idleFields,
  newId,
  now,
  refuseFields,
  samplingFields,
  settingsFrom,
  usageOf,
  withSeed,
} from './fields.js';
import {
  chatTools,
  givenMessages,
  givenToolChoice,
  givenTools,
  templateMessages,
} from './messages.js';
import { openAiErrorEvent } from './openai-error.js';
import { responseFormat, schemaOf } from './response-format.js';

const schema = z.strictObject({
  ...samplingFields,
  ...idleFields,
  model: z.string(),
  messages: givenMessages,
  max_tokens: z.int().min(0).optional(),
  max_completion_tokens: z.int().min(0).optional(),
  logprobs: z.boolean().optional(),
  top_logprobs: z.int().min(0).max(20).optional(),
  tools: givenTools.optional(),
  tool_choice: givenToolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  response_format: responseFormat.optional(),
  // Other servers keep the answer, and give the same one.
  store: z.boolean().optional(),
  modalities: z.array(z.literal('text')).optional(),
  // Speeds up other servers, and changes no answer.
  prediction: z.unknown().optional(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).optional(),
});

type Body = z.infer<typeof schema>;

const refused = {
  functions: "give them as 'tools'",
  function_call: "give 'tool_choice'",
  audio: 'the models write text alone',
  reasoning_effort: "the template's variables can be set in 'chat_template_kwargs'",
  verbosity: 'ask for it in a message',
  web_search_options: 'the server searches nothing',
};

/**
 * `POST /v1/chat/completions`: answers messages, which the model's chat template writes.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
export function addChat(app: Hono, service: Service): void {
  app.post('/v1/chat/completions', async (context) => {
    const json = await readJsonBody(context.req.raw, service.limits);
    refuseFields(json, refused);
    const body = checkedBody(schema, json);
    const request = new ChatCompletion(service, body, context.req.raw.signal);
    if (!body.stream) return context.json(await request.whole());
    return eventStream(request.events(), openAiErrorEvent(service));
  });
}

interface Delta {
  content?: string;
  tool_calls?: object[];
}

/** What a piece adds to a choice. */
interface ChoicePiece {
  readonly index: number;
  readonly delta: Delta;
  readonly logprob?: ChatLogprob | undefined;
  /** Why the choice has ended, in its last piece. */
  readonly finish?: string;
}

/** One request. */
class ChatCompletion {
  readonly #body: Body;
  readonly #model: ServedDecoder;
  readonly #tools: Calling | undefined;
  readonly #answers: readonly Answer[];
  readonly #promptTokens: number;
  readonly #frame: { id: string; created: number; model: string };

  constructor(service: Service, body: Body, signal: AbortSignal) {
    this.#body = body;
    const model = service.decoderNamed(body.model);
    this.#model = model;
    const { n = 1, logprobs, top_logprobs: alternatives } = body;
    if (alternatives !== undefined && !logprobs) {
      throw new ApiError(400, 'top_logprobs is given without logprobs; expected logprobs: true', {
        param: 'top_logprobs',
      });
    }
    checkSequences(n, service.limits.sequences);
    const { max_tokens: older, max_completion_tokens: most = older } = body;
    if (older !== undefined && older !== most) {
      throw new ApiError(
        400,
        `max_tokens is ${older} and max_completion_tokens is ${most}; expected one of the two`,
        { param: 'max_tokens' },
      );
    }
    this.#tools = chatTools(body);
    const { prompt, constraint } = chatPrompt(model, templateMessages(body.messages), {
      calling: this.#tools,
      textSchema: schemaOf(body.response_format),
      variables: body.chat_template_kwargs,
    });
    this.#promptTokens = prompt.length;
    const settings = {
      ...settingsFrom(body, model.model.generation, n),
      ...(constraint ? { constraint } : {}),
      maxNewTokens: most,
    };
    this.#answers = beginAnswers(
      service,
      Array.from({ length: n }, (_, i) => ({
        model,
        prompt,
        options: withSeed(settings, i),
        alternatives,
      })),
      signal,
    );
    service.countTokens.prompt(prompt.length);
    this.#frame = { id: newId('chatcmpl'), created: now(), model: model.name };
  }

  async whole(): Promise<object> {
    const choices = this.#answers.map((_, index) => ({
      index,
      content: '',
      calls: [] as object[],
      logprobs: [] as ChatLogprob[],
      finish: '',
    }));
    for await (const { index, delta, logprob, finish } of this.#pieces()) {
      const choice = choices[index]!;
      choice.content += delta.content ?? '';
      choice.calls.push(...(delta.tool_calls ?? []));
      if (logprob) choice.logprobs.push(logprob);
      if (finish) choice.finish = finish;
    }
    return {
      ...this.#frame,
      object: 'chat.completion',
      choices: choices.map(({ index, content, calls, logprobs, finish }) => ({
        index,
        message: {
          role: 'assistant',
          content: calls.length > 0 && content === '' ? null : content,
          refusal: null,
          ...(calls.length > 0 ? { tool_calls: calls.map(withoutIndex) } : {}),
        },
        logprobs: this.#body.logprobs ? { content: logprobs, refusal: null } : null,
        finish_reason: finish,
      })),
      usage: this.#usage(),
    };
  }

  async *events(): AsyncGenerator<string, void> {
    const frame = { ...this.#frame, object: 'chat.completion.chunk' };
    const chunk = (index: number, delta: object, more: object = {}) =>
      dataEvent({
        ...frame,
        choices: [{ index, delta, logprobs: null, finish_reason: null, ...more }],
      });
    const begun = new Set<number>();
    for await (const { index, delta, logprob, finish } of this.#pieces()) {
      // After the first token, before which a request may still be refused.
      if (!begun.has(index)) yield chunk(index, { role: 'assistant', content: '', refusal: null });
      begun.add(index);
      const logprobs = logprob ? { content: [logprob], refusal: null } : null;
      if (logprob || Object.keys(delta).length > 0) yield chunk(index, delta, { logprobs });
      if (finish) yield chunk(index, {}, { finish_reason: finish });
    }
    if (this.#body.stream_options?.include_usage) {
      yield dataEvent({ ...frame, choices: [], usage: this.#usage() });
    }
    yield 'data: [DONE]\n\n';
  }

  /** The answers as pieces of choices: calls of functions are taken out of the text. */
  async *#pieces(): AsyncGenerator<ChoicePiece, void> {
    const readers = this.#answers.map(() => new CallReader(this.#tools));
    for await (const { index, piece } of piecesOf(this.#answers)) {
      const delta: Delta = {};
      const reader = readers[index]!;
      const before = reader.calls;
      for (const part of reader.read(piece?.text)) {
        if ('call' in part) {
          delta.tool_calls ??= [];
          delta.tool_calls.push(callBody(part.call, before + delta.tool_calls.length));
        } else delta.content = (delta.content ?? '') + part.text;
      }
      const logprob =
        this.#body.logprobs && piece?.token
          ? chatLogprob(this.#model.tokenizer, piece.token)
          : undefined;
      const ended = reader.calls > 0 ? 'tool_calls' : this.#answers[index]!.finish!;
      yield { index, delta, logprob, ...(piece ? {} : { finish: ended }) };
      if (reader.isFull) this.#answers[index]!.cancel();
    }
  }

  #usage(): object {
    const completion = this.#answers.reduce((sum, { tokens }) => sum + tokens, 0);
    return usageOf(this.#promptTokens, completion);
  }
}

const callBody = ({ name, arguments: values }: ToolCall, index: number) => ({
  index,
  id: newCallId(),
  type: 'function',
  function: { name, arguments: JSON.stringify(values) },
});

/** Only the pieces of streams number their calls. */
function withoutIndex(call: object): object {
  const { index: _, ...others } = call as { index: number };
  return others;
}
