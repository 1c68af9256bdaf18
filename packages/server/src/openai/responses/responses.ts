import type { Hono } from 'hono';
import { type Answer, beginAnswers } from '../../answer.js';
import { CallReader } from '../../chat/call-reader.js';
import { chatPrompt } from '../../chat/prompt.js';
import { ApiError } from '../../http/api-error.js';
import { checkedBody, readJsonBody } from '../../http/body.js';
import { eventStream } from '../../http/event-stream.js';
import type { ServedDecoder, Service } from '../../service.js';
import { chatLogprob } from '../chat-logprobs.js';
import { newId, now, refuseFields, settingsFrom } from '../fields.js';
import { openAiErrorBody } from '../openai-error.js';
import { schemaOf } from '../response-format.js';
import {
  chatFormat,
  type ResponsesBody,
  refusedFields,
  responsesSchema,
  responseTools,
} from './fields.js';
import { inputMessages } from './input.js';
import { OutputItems } from './items.js';

/**
 * `POST /v1/responses`: answers a text or a conversation of items, and keeps nothing of it.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/create
 */
export function addResponses(app: Hono, service: Service): void {
  app.post('/v1/responses', async (context) => {
    const json = await readJsonBody(context.req.raw, service.limits);
    refuseFields(json, refusedFields);
    const body = checkedBody(responsesSchema, json);
    const request = new ResponseRequest(service, body, context.req.raw.signal);
    if (!body.stream) return context.json(await request.whole());
    return eventStream(request.events(), (error) => request.failed(error));
  });
  app.all('/v1/responses/:id{.+}', () => {
    throw new ApiError(404, 'responses are not stored; each is given once, where it is made', {
      code: 'not_found',
    });
  });
}

type Status = 'in_progress' | 'completed' | 'incomplete' | 'failed';

/** One request. */
class ResponseRequest {
  readonly #service: Service;
  readonly #body: ResponsesBody;
  readonly #model: ServedDecoder;
  readonly #answer: Answer;
  readonly #promptTokens: number;
  readonly #calls: CallReader;
  readonly #output = new OutputItems();
  readonly #id = newId('resp');
  readonly #created = now();

  constructor(service: Service, body: ResponsesBody, signal: AbortSignal) {
    this.#service = service;
    this.#body = body;
    if (body.top_logprobs !== undefined && !this.#hasLogprobs) {
      throw new ApiError(
        400,
        "top_logprobs is given, but not asked for; expected 'message.output_text.logprobs' in include",
        { param: 'top_logprobs' },
      );
    }
    this.#model = service.decoderNamed(body.model);
    const calling = responseTools(body);
    const { prompt, constraint } = chatPrompt(
      this.#model,
      inputMessages(body.input, body.instructions),
      {
        calling,
        textSchema: schemaOf(chatFormat(body)),
        variables: body.chat_template_kwargs,
      },
    );
    const options = {
      ...settingsFrom(body, this.#model.model.generation),
      ...(constraint ? { constraint } : {}),
      maxNewTokens: body.max_output_tokens,
    };
    const asked = { model: this.#model, prompt, options, alternatives: body.top_logprobs };
    [this.#answer] = beginAnswers(service, [asked], signal) as [Answer];
    service.countTokens.prompt(prompt.length);
    this.#promptTokens = prompt.length;
    this.#calls = new CallReader(calling);
  }

  async whole(): Promise<object> {
    for await (const _ of this.events());
    return this.#response(this.#status);
  }

  async *events(): AsyncGenerator<string, void> {
    const { tokenizer } = this.#model;
    try {
      // Before the first token a request may still be refused.
      let piece = await this.#answer.next();
      yield this.#event('created', 'in_progress');
      yield this.#event('in_progress', 'in_progress');
      for (; piece; piece = await this.#answer.next()) {
        const { text, token } = piece;
        const logprob = token && this.#hasLogprobs ? chatLogprob(tokenizer, token) : undefined;
        yield* this.#output.push(this.#calls.read(text), logprob);
        if (this.#calls.isFull) this.#answer.cancel();
      }
      yield* this.#output.push(this.#calls.read(undefined), undefined);
      const status = this.#status;
      yield* this.#output.end(status);
      yield this.#event(status, status);
    } finally {
      this.#answer.cancel();
    }
  }

  /** The last events of a stream that an error ends; the official client throws at the second. */
  failed(error: unknown): string {
    const known = this.#service.errorOf(error);
    const { message, code = null, param = null } = known;
    const failure = { code: 'server_error', message };
    const response = { ...this.#response('failed'), error: failure };
    return (
      this.#output.event('response.failed', { response }) +
      this.#output.event('error', { ...openAiErrorBody(known), message, code, param })
    );
  }

  #event(type: string, status: Status): string {
    return this.#output.event(`response.${type}`, { response: this.#response(status) });
  }

  get #hasLogprobs(): boolean {
    return this.#body.include?.includes('message.output_text.logprobs') ?? false;
  }

  get #status(): 'completed' | 'incomplete' {
    const ended = this.#calls.calls > 0 || this.#answer.finish === 'stop';
    return ended ? 'completed' : 'incomplete';
  }

  #response(status: Status): object {
    const { generation } = this.#model.model;
    const body = this.#body;
    const isDone = status !== 'in_progress';
    const tokens = this.#answer.tokens;
    return {
      id: this.#id,
      object: 'response',
      created_at: this.#created,
      completed_at: status === 'completed' ? now() : null,
      status,
      error: null,
      incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
      background: false,
      instructions: body.instructions ?? null,
      max_output_tokens: body.max_output_tokens ?? null,
      metadata: body.metadata ?? {},
      model: this.#model.name,
      output: isDone ? this.#output.items : [],
      parallel_tool_calls: body.parallel_tool_calls ?? true,
      previous_response_id: null,
      reasoning: null,
      store: false,
      temperature: body.temperature ?? generation?.temperature ?? null,
      text: { format: body.text?.format ?? { type: 'text' } },
      tool_choice: body.tool_choice ?? 'auto',
      tools: body.tools ?? [],
      top_logprobs: body.top_logprobs ?? 0,
      top_p: body.top_p ?? generation?.topP ?? null,
      truncation: 'disabled',
      usage: isDone
        ? {
            input_tokens: this.#promptTokens,
            input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
            output_tokens: tokens,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: this.#promptTokens + tokens,
          }
        : null,
    };
  }
}
