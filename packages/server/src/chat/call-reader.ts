import { ToolCallParser, type ToolCallPiece } from '@headwise/text';
import type { Calling } from './tools.js';

/** Tells the calls of functions from the text of one answer. */
export class CallReader {
  readonly #parser: ToolCallParser | undefined;
  readonly #most: number;
  #calls = 0;

  /** @param calling the functions that the model was told of; without them all is text. What follows the last call that an answer may have is dropped. */
  constructor(calling: Calling | undefined) {
    this.#parser = calling && new ToolCallParser(calling.tools.map((tool) => tool.function.name));
    this.#most = calling?.most ?? 0;
  }

  /** The number of calls that were read. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether the answer has all the calls that it may have. */
  get isFull(): boolean {
    return this.#calls > 0 && this.#calls >= this.#most;
  }

  /** What is certain with the next text of the answer, in order; without a text, at its end. */
  read(text: string | undefined): ToolCallPiece[] {
    const pieces = this.#parser
      ? text === undefined
        ? this.#parser.end()
        : this.#parser.push(text)
      : [{ text: text ?? '' }];
    return pieces.filter((piece) => {
      if (this.isFull) return false;
      if ('call' in piece) this.#calls++;
      return 'call' in piece || piece.text !== '';
    });
  }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** An id of a call: nine letters and digits, the only form that the templates of Mistral take back. */
export const newCallId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => letters[byte % 62]).join('');
