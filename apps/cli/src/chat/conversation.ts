import { InputError } from '@headwise/core';
import { promptIds, type TextModel } from '@headwise/text/node';
import type { ChatMessage, Tokenizer } from '@headwise/tokenizers';

const defaultMaxNewTokens = 512;

/** A model that answers messages. */
export interface Answering {
  readonly model: TextModel;
  readonly tokenizer: Tokenizer;
}

/** What the model is asked next. */
export interface Question {
  messages: ChatMessage[];
  /** The most tokens that the answer may have. */
  maxNewTokens: number;
  /** The turns that were cut for this question, the oldest ones. */
  forgotten: number;
}

/** The turns of a conversation, each a message and its answer, and which of them still fit the model's context. */
export class Conversation {
  readonly #text: Answering;
  readonly #system: ChatMessage[];
  /** In tokens: prompt and answer together, and the answer alone. */
  readonly #context: number;
  readonly #most: number;
  #turns: [ChatMessage, ChatMessage][] = [];
  /** The oldest turn that is not forgotten. */
  #first = 0;

  /** @param maxNewTokens default the folder's `max_new_tokens`, else 512 within its `max_length` */
  constructor(text: Answering, system: string | undefined, maxNewTokens: number | undefined) {
    const { network, generation = {} } = text.model;
    const most = maxNewTokens ?? generation.maxNewTokens;
    const longest =
      most === undefined ? (generation.maxLength ?? Number.POSITIVE_INFINITY) : undefined;
    this.#text = text;
    this.#system = system === undefined ? [] : [{ role: 'system', content: system }];
    this.#context = Math.min(network.maxLength, longest ?? Number.POSITIVE_INFINITY);
    this.#most = most ?? defaultMaxNewTokens;
  }

  /** How many tokens the context holds. */
  get context(): number {
    return this.#context;
  }

  /** How many turns there are. */
  get length(): number {
    return this.#turns.length;
  }

  /** Every message, also those that are forgotten. */
  get messages(): ChatMessage[] {
    return [...this.#system, ...this.#turns.flat()];
  }

  /**
   * Adds a message to what the model reads, and forgets the oldest turns until it leaves room for an answer: for the longest
   * one, or half of the context.
   *
   * @throws InputError for a message that does not fit the context by itself
   */
  ask(content: string): Question {
    const room = Math.min(this.#most, Math.floor(this.#context / 2));
    const before = this.#first;
    for (let first = before; ; first++) {
      const turns = this.#turns.slice(first).flat();
      const messages = [...this.#system, ...turns, { role: 'user', content }];
      const { length } = promptIds(this.#text.model, this.#text.tokenizer, messages);
      const last = first === this.#turns.length;
      if (last && length >= this.#context) {
        const what =
          this.#system.length > 0 ? 'the message and the system text take' : 'the message takes';
        throw new InputError(
          `${what} ${length} tokens; the context holds ${this.#context} and an answer needs at least one`,
        );
      }
      if (!last && length + room > this.#context) continue;
      this.#first = first;
      const maxNewTokens = Math.min(this.#most, this.#context - length);
      return { messages, maxNewTokens, forgotten: first - before };
    }
  }

  /** Keeps a message and its answer as a turn. */
  keep(content: string, answer: string): void {
    this.#turns.push([
      { role: 'user', content },
      { role: 'assistant', content: answer },
    ]);
  }

  /** Begins anew, with the system text. */
  reset(): void {
    this.#turns = [];
    this.#first = 0;
  }
}
