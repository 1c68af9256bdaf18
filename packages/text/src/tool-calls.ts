import type { ChatMessage, ChatTemplate } from '@headwise/tokenizers';
import { begunLength } from './stop-texts.js';

/** A call of a function that a model wrote. */
export interface ToolCall {
  name: string;
  arguments: Record<string, unknown>;
}

/** What is certain of an answer: a text, or a call. */
export type ToolCallPiece = { text: string } | { call: ToolCall };

const [open, close] = ['<tool_call>', '</tool_call>'];

/**
 * Finds calls of functions in an answer that comes in pieces.
 *
 * Two forms are known: JSON between `<tool_call>` and `</tool_call>` anywhere in the answer (Hermes, Qwen2 and 3, SmolLM), and
 * an answer that is JSON as a whole (LLaMA 3, Mistral). The JSON is an object, or a list of them, with `name` and
 * `arguments` or `parameters`. What has no such form, or as a whole answer names another function, is text.
 *
 * @example
 * const parser = new ToolCallParser(['weather']);
 * for await (const { text } of streamText(model, tokenizer, messages, { chat: { tools } })) show(parser.push(text));
 * show(parser.end());
 */
export class ToolCallParser {
  readonly #names: ReadonlySet<unknown>;
  /** What is awaited: the first character, a call in the text, its end, what follows it, or the end of an answer in JSON. */
  #state: 'start' | 'text' | 'call' | 'after' | 'whole' = 'start';
  #held = '';

  /** @param names the functions that the model was told of */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  /** Takes the next piece of the answer; gives what is certain with it, in order. */
  push(piece: string): ToolCallPiece[] {
    this.#held += piece;
    const found: ToolCallPiece[] = [];
    while (this.#step(found));
    return found;
  }

  /** What was held back, at the end of the answer. */
  end(): ToolCallPiece[] {
    const rest = this.#held;
    this.#held = '';
    if (this.#state === 'call') return piecesOf(callsIn(rest), open + rest);
    if (this.#state === 'whole') {
      const calls = callsIn(rest);
      return piecesOf(calls?.every(({ name }) => this.#names.has(name)) ? calls : undefined, rest);
    }
    return piecesOf(undefined, this.#state === 'text' ? rest : '');
  }

  /** Reads on in what is held; returns whether there may be more. */
  #step(found: ToolCallPiece[]): boolean {
    switch (this.#state) {
      case 'start': {
        const first = this.#held.trimStart()[0];
        if (first === undefined) return false;
        this.#state = first === '{' || first === '[' ? 'whole' : 'text';
        return true;
      }
      case 'after':
        // Space between calls is not text.
        this.#held = this.#held.trimStart();
        if (this.#held === '') return false;
        this.#state = 'text';
        return true;
      case 'text': {
        const at = this.#held.indexOf(open);
        const end = at >= 0 ? at : this.#held.length - begunLength(this.#held, [open]);
        found.push(...piecesOf(undefined, this.#held.slice(0, end)));
        this.#held = this.#held.slice(at >= 0 ? at + open.length : end);
        if (at >= 0) this.#state = 'call';
        return at >= 0;
      }
      case 'call': {
        const at = this.#held.indexOf(close);
        if (at < 0) return false;
        const inside = this.#held.slice(0, at);
        found.push(...piecesOf(callsIn(inside), open + inside + close));
        this.#held = this.#held.slice(at + close.length);
        this.#state = 'after';
        return true;
      }
      case 'whole':
        return false;
    }
  }
}

/**
 * Whether a chat template writes the functions that it is given: the text of the messages differs with them.
 *
 * @throws TokenizerError where the template refuses the messages
 */
export function readsTools(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  tools: readonly unknown[],
): boolean {
  const now = new Date();
  const written = template.applyChatTemplate(messages, { tools, now });
  try {
    return written !== template.applyChatTemplate(messages, { now });
  } catch {
    // It cannot do without them.
    return true;
  }
}

/** The calls, or the text where there are none. */
function piecesOf(calls: readonly ToolCall[] | undefined, text: string): ToolCallPiece[] {
  if (calls) return calls.map((call) => ({ call }));
  return text === '' ? [] : [{ text }];
}

/** The calls that a JSON text holds; undefined where it does not have their form. */
function callsIn(text: string): ToolCall[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const calls = (Array.isArray(value) ? value : [value]).map(callOf);
  return calls.length > 0 && calls.every((call) => call !== undefined) ? calls : undefined;
}

function callOf(value: unknown): ToolCall | undefined {
  if (!isRecord(value) || typeof value.name !== 'string') return undefined;
  const given = value.arguments ?? value.parameters ?? {};
  return isRecord(given) ? { name: value.name, arguments: given } : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
