import type { Hono } from 'hono';
import { type Answer, beginAnswers } from '../answer.js';
import { CallReader } from '../chat/call-reader.js';
import { chatPrompt } from '../chat/prompt.js';
import { checkedBody, readJsonBody } from '../http/body.js';
import { eventStream } from '../http/event-stream.js';
import { randomSeed } from '../openai/fields.js';
import type { Service } from '../service.js';
import { anthropicErrorEvent } from './anthropic-error.js';
import { ContentBlocks, namedEvent } from './events.js';
import { chatMessages, type MessagesBody, messagesSchema, messageTools } from './fields.js';

/**
 * `POST /v1/messages`: answers a conversation, in the form of Anthropic's API.
 *
 * @see https://docs.anthropic.com/en/api/messages
 */
export function addMessages(app: Hono, service: Service): void {
  app.post('/v1/messages', async (context) => {
    const json = await readJsonBody(context.req.raw, service.limits);
    const body = checkedBody(messagesSchema, json);
    const request = new MessagesRequest(service, body, context.req.raw.signal);
    if (!body.stream) return context.json(await request.whole());
    return eventStream(request.events(), anthropicErrorEvent(service));
  });
}

/** One request. */
class MessagesRequest {
  readonly #body: MessagesBody;
  readonly #answer: Answer;
  readonly #promptTokens: number;
  readonly #calls: CallReader;
  readonly #content = new ContentBlocks();
  readonly #frame: object;

  constructor(service: Service, body: MessagesBody, signal: AbortSignal) {
    this.#body = body;
    const served = service.decoderNamed(body.model);
    const { model } = served;
    const calling = messageTools(body);
    const { prompt, constraint } = chatPrompt(served, chatMessages(body), { calling });
    const options = {
      ...(constraint ? { constraint } : {}),
      maxNewTokens: body.max_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      topK: body.top_k,
      stop: [model.generation?.stop ?? [], body.stop_sequences ?? []].flat(),
      seed: randomSeed(1),
    };
    [this.#answer] = beginAnswers(service, [{ model: served, prompt, options }], signal) as [
      Answer,
    ];
    service.countTokens.prompt(prompt.length);
    this.#promptTokens = prompt.length;
    this.#calls = new CallReader(calling);
    this.#frame = {
      id: `msg_${crypto.randomUUID().replaceAll('-', '')}`,
      type: 'message',
      role: 'assistant',
      model: served.name,
    };
  }

  async whole(): Promise<object> {
    for await (const _ of this.#blockEvents());
    return {
      ...this.#frame,
      content: this.#content.blocks,
      ...this.#stop,
      usage: { input_tokens: this.#promptTokens, output_tokens: this.#answer.tokens },
    };
  }

  async *events(): AsyncGenerator<string, void> {
    const message = {
      ...this.#frame,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: this.#promptTokens, output_tokens: 0 },
    };
    try {
      let begun = false;
      const begin = function* () {
        if (!begun) yield namedEvent({ type: 'message_start', message } as { type: string });
        begun = true;
      };
      for await (const event of this.#blockEvents()) {
        // After the first token, before which a request may still be refused.
        yield* begin();
        yield event;
      }
      yield* begin();
      yield namedEvent({
        type: 'message_delta',
        delta: this.#stop,
        usage: { output_tokens: this.#answer.tokens },
      } as { type: string });
      yield namedEvent({ type: 'message_stop' });
    } finally {
      this.#answer.cancel();
    }
  }

  /** The events of the blocks, which are collected meanwhile. */
  async *#blockEvents(): AsyncGenerator<string, void> {
    for (let piece = await this.#answer.next(); piece; piece = await this.#answer.next()) {
      yield* this.#content.push(this.#calls.read(piece.text));
      if (this.#calls.isFull) this.#answer.cancel();
    }
    yield* this.#content.push(this.#calls.read(undefined));
    yield* this.#content.end();
  }

  get #stop(): { stop_reason: string; stop_sequence: string | null } {
    const { stop, finish } = this.#answer;
    if (this.#content.called) return { stop_reason: 'tool_use', stop_sequence: null };
    if (stop !== undefined && this.#body.stop_sequences?.includes(stop)) {
      return { stop_reason: 'stop_sequence', stop_sequence: stop };
    }
    return { stop_reason: finish === 'stop' ? 'end_turn' : 'max_tokens', stop_sequence: null };
  }
}
