import type { ToolCall, ToolCallPiece } from '@headwise/text';
import { newCallId } from '../chat/call-reader.js';
import { dataEvent } from '../http/event-stream.js';

/** An event that is named by the type of its value. */
export const namedEvent = (value: { type: string }): string =>
  `event: ${value.type}\n${dataEvent(value)}`;

/** A block of an answer's content. */
export type ContentBlock =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; input: Record<string, unknown> };

/** Collects the pieces of an answer into blocks, and writes their events. */
export class ContentBlocks {
  readonly blocks: ContentBlock[] = [];
  #open = false;

  /** Whether a function was called. */
  get called(): boolean {
    return this.blocks.some(({ type }) => type === 'tool_use');
  }

  /** The events of some pieces. */
  *push(pieces: readonly ToolCallPiece[]): Generator<string> {
    for (const piece of pieces) {
      if ('call' in piece) yield* this.#call(piece.call);
      else if (piece.text !== '') yield* this.#text(piece.text);
    }
  }

  /** The end of the last block. */
  *end(): Generator<string> {
    if (this.#open) yield namedEvent({ type: 'content_block_stop', ...this.#last });
    this.#open = false;
  }

  *#text(text: string): Generator<string> {
    if (!this.#open) yield this.#begin({ type: 'text', text: '' });
    this.#open = true;
    const block = this.blocks.at(-1)!;
    if (block.type === 'text') block.text += text;
    yield this.#delta({ type: 'text_delta', text });
  }

  *#call({ name, arguments: input }: ToolCall): Generator<string> {
    yield* this.end();
    const id = newCallId();
    yield this.#begin({ type: 'tool_use', id, name, input: {} });
    this.blocks[this.blocks.length - 1] = { type: 'tool_use', id, name, input };
    this.#open = true;
    yield this.#delta({ type: 'input_json_delta', partial_json: JSON.stringify(input) });
    yield* this.end();
  }

  #begin(block: ContentBlock): string {
    this.blocks.push({ ...block });
    return namedEvent({ type: 'content_block_start', ...this.#last, content_block: block } as {
      type: string;
    });
  }

  #delta(delta: object): string {
    return namedEvent({ type: 'content_block_delta', ...this.#last, delta } as { type: string });
  }

  get #last(): { index: number } {
    return { index: this.blocks.length - 1 };
  }
}
