import type { ToolCall, ToolCallPiece } from '@headwise/text';
import { newCallId } from '../../chat/call-reader.js';
import { dataEvent } from '../../http/event-stream.js';
import type { ChatLogprob } from '../chat-logprobs.js';
import { newId } from '../fields.js';

interface OutputText {
  type: 'output_text';
  text: string;
  annotations: never[];
  logprobs: ChatLogprob[];
}

/** An item of a response's output. */
export type OutputItem =
  | {
      type: 'message';
      id: string;
      status: ItemStatus;
      role: 'assistant';
      content: OutputText[];
    }
  | {
      type: 'function_call';
      id: string;
      status: ItemStatus;
      call_id: string;
      name: string;
      arguments: string;
    };

type ItemStatus = 'in_progress' | 'completed' | 'incomplete';
type MessageItem = OutputItem & { type: 'message' };

/** Collects the pieces of an answer into items, and writes their events. */
export class OutputItems {
  readonly items: OutputItem[] = [];
  #message: MessageItem | undefined;
  /** Log-probabilities of tokens whose text has not come yet. */
  #pending: ChatLogprob[] = [];
  #events = 0;

  /** An event with the next number. */
  event(type: string, value: object): string {
    return `event: ${type}\n${dataEvent({ type, sequence_number: this.#events++, ...value })}`;
  }

  /** The events of some pieces. */
  *push(pieces: readonly ToolCallPiece[], logprob: ChatLogprob | undefined): Generator<string> {
    if (logprob) this.#pending.push(logprob);
    for (const piece of pieces) {
      if ('call' in piece) yield* this.#call(piece.call);
      else yield* this.#text(piece.text);
    }
  }

  /** The end of the last item; an answer without any is an empty message. */
  *end(status: 'completed' | 'incomplete'): Generator<string> {
    if (this.items.length === 0) yield* this.#begin();
    yield* this.#endMessage(status);
  }

  *#text(text: string): Generator<string> {
    if (!this.#message) yield* this.#begin();
    const [part] = this.#message!.content as [OutputText];
    const logprobs = this.#pending;
    this.#pending = [];
    part.text += text;
    part.logprobs.push(...logprobs);
    yield this.event('response.output_text.delta', { ...this.#place, delta: text, logprobs });
  }

  *#begin(): Generator<string> {
    const item: MessageItem = {
      type: 'message',
      id: newId('msg'),
      status: 'in_progress',
      role: 'assistant',
      content: [],
    };
    this.items.push(item);
    this.#message = item;
    yield this.#added(item);
    const part: OutputText = { type: 'output_text', text: '', annotations: [], logprobs: [] };
    yield this.event('response.content_part.added', { ...this.#place, part });
    item.content.push(part);
  }

  *#endMessage(status: 'completed' | 'incomplete'): Generator<string> {
    const item = this.#message;
    if (!item) return;
    const [part] = item.content as [OutputText];
    const { text, logprobs } = part;
    yield this.event('response.output_text.done', { ...this.#place, text, logprobs });
    yield this.event('response.content_part.done', { ...this.#place, part });
    item.status = status;
    yield this.#done(item);
    this.#message = undefined;
  }

  *#call({ name, arguments: values }: ToolCall): Generator<string> {
    yield* this.#endMessage('completed');
    // The tokens of a call are not those of a text.
    this.#pending = [];
    const call = {
      type: 'function_call' as const,
      id: newId('fc'),
      call_id: newCallId(),
      name,
    };
    this.items.push({ ...call, status: 'in_progress', arguments: '' });
    yield this.#added(this.items.at(-1)!);
    const text = JSON.stringify(values);
    const place = { item_id: call.id, output_index: this.items.length - 1 };
    yield this.event('response.function_call_arguments.delta', { ...place, delta: text });
    yield this.event('response.function_call_arguments.done', { ...place, name, arguments: text });
    const done: OutputItem = { ...call, status: 'completed', arguments: text };
    this.items[place.output_index] = done;
    yield this.#done(done);
  }

  #added(item: OutputItem): string {
    return this.event('response.output_item.added', { output_index: this.items.length - 1, item });
  }

  #done(item: OutputItem): string {
    return this.event('response.output_item.done', { output_index: this.items.length - 1, item });
  }

  /** Of the text that comes. */
  get #place(): { item_id: string; output_index: number; content_index: 0 } {
    return {
      item_id: this.#message!.id,
      output_index: this.items.length - 1,
      content_index: 0,
    };
  }
}
